/** Watches everything, and tells each change. Says "watching" when it begins. On a message, stops and ends. */
import { argument, letGo, openFile, tell, told } from "./program.js";

const opened = await openFile(argument(0));
await opened.watch(
  { from: "", to: "\u{10ffff}" },
  {
    change: ({ key, value, version }) => tell({ key, value, version }),
    gap: () => tell("gap"),
    fail: (error) => tell(String(error)),
  },
);
tell("watching");
await told();
await opened.close();
letGo();
