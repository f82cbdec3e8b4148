/** Writes pairs of entries for ever, each pair in one commit. Sends the number of each acknowledged pair. */
import { argument, openFile, tell } from "./program.js";

const opened = await openFile(argument(0));
const value = "x".repeat(500);
for (let i = 0; ; i++) {
  const pair = String(i).padStart(8, "0");
  const writes = ["a", "b"].map((side) => ({ key: `${pair}${side}`, value }));
  const outcome = await opened.commit({ checks: [], writes });
  if (!outcome.ok) throw new Error("refused");
  tell({ pair: i, version: outcome.version });
}
