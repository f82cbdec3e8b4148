/** On each message, writes it under the key `text`, and tells its version. */
import { argument, openFile, tell, told } from "./program.js";

const opened = await openFile(argument(0));
tell("ready");
for (;;) {
  const value = String(await told());
  const outcome = await opened.commit({ checks: [], writes: [{ key: "text", value }] });
  tell(outcome.ok ? outcome.version : "refused");
}
