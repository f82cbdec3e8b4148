/** Opens, watches, writes and closes, except with "no-close". Ends only because nothing is left to do. */
import { argument, letGo, openFile } from "./program.js";

letGo();
const opened = await openFile(argument(0));
await opened.watch({ from: "", to: "z" }, { change() {}, gap() {}, fail() {} });
// Not awaited: a requested write must still be made.
void opened.commit({ checks: [], writes: [{ key: "last", value: "word" }] });
if (argument(1) !== "no-close") await opened.close();
