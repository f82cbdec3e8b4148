/**
 * Opens, watches, writes and closes; nothing ends it but that nothing is left to do. With "no-close", leaves
 * out the close.
 */
import { argument, letGo, openFile } from "./program.js";

letGo();
const opened = await openFile(argument(0));
await opened.watch({ from: "", to: "z" }, { change() {}, gap() {}, fail() {} });
// Not awaited: a write that was asked for is done all the same.
void opened.commit({ checks: [], writes: [{ key: "last", value: "word" }] });
if (argument(1) !== "no-close") await opened.close();
