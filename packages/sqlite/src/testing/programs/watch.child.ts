/** Watches everything, and sends "watching", then each change. On a message, stops and ends. */
import { argument, letGo, openFile, tell, told } from "./program.js";

const opened = await openFile(argument(0));
await opened.watch(
  { from: "", to: "\u{10ffff}" },
  {
    // Large values would only fill the pipe to the test.
    change: ({ key, value, version }) => tell({ key, value: value?.slice(0, 100) ?? null, version }),
    gap: () => tell("gap"),
    fail: (error) => tell(String(error)),
  },
);
tell("watching");
await told();
await opened.close();
letGo();
