/** Writes each message under the given key, and sends its version. */
import { argument, openFile, tell, told } from "./program.js";

const key = argument(1);
const opened = await openFile(argument(0));
tell("ready");
for (;;) {
  const value = String(await told());
  const outcome = await opened.commit({ checks: [], writes: [{ key, value }] });
  tell(outcome.ok ? outcome.version : "refused");
}
