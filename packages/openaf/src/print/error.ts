import { withSideLine } from "../format/side-line.js";
import { printnl } from "./print.js";

/** Frames of Node and of ojm itself, which say nothing about the script. */
const INNER = /node:internal|node:vm|script-worker|[\\/]ojob[\\/](src|dist)[\\/]/;

/** Writes what was thrown, with its stack, or returns that text; throws it again if asked to. */
export function $err(exception: unknown, rethrow?: unknown, returnText?: unknown): string | undefined {
  const text = textOf(exception);
  if (!returnText) printnl(`${withSideLine(text, undefined, "RED")}\n`);
  if (rethrow) throw exception;
  return returnText ? text : undefined;
}

function textOf(exception: unknown): string {
  if (!(exception instanceof Error))
    return typeof exception === "object" ? JSON.stringify(exception) : String(exception);
  const frames = (exception.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !INNER.test(line));
  return [`${exception.name}: ${exception.message}`, ...frames].join("\n");
}
