/** Adds 1 to a counter, N times, by compare-and-set. Sends the number of refused tries. */
import { argument, letGo, openFile, tell } from "./program.js";

const key = "counter";
const times = Number(argument(1));
const opened = await openFile(argument(0));
let refused = 0;
for (let i = 0; i < times; ) {
  const [entry] = await opened.read([key]);
  const value = String(Number(entry?.value ?? "0") + 1);
  const outcome = await opened.commit({
    checks: [{ key, version: entry?.version ?? null }],
    writes: [{ key, value }],
  });
  if (outcome.ok) i++;
  else refused++;
}
await opened.close();
tell(refused);
letGo();
