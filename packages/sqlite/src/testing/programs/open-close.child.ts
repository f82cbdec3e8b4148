/** Opens, writes one entry and closes, N times. */
import { argument, letGo, openFile } from "./program.js";

for (let i = 0; i < Number(argument(1)); i++) {
  const opened = await openFile(argument(0));
  const outcome = await opened.commit({ checks: [], writes: [{ key: `${process.pid} ${i}`, value: "1" }] });
  if (!outcome.ok) throw new Error("refused");
  await opened.close();
}
letGo();
