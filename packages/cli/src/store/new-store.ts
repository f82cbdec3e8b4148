import { existsSync } from "node:fs";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { wantsJson } from "../output/print.js";
import { tell } from "../output/tell.js";
import type { Location } from "./locate.js";

/** The files and folders of a store that are not there: opening it makes them. */
export function missingOf({ files }: Location): readonly string[] {
  return files.filter((file) => !existsSync(file));
}

/**
 * Tells of a store that was made where somebody may have meant another one: with a relative path in
 * OJM_STORE, each folder has its own store and its own lock, so a job runs twice in silence.
 */
export function tellMade(given: Given, { isRelative }: Location, made: readonly string[]): void {
  const [file] = made;
  if (file === undefined || wantsJson(given)) return;
  const isFromEnvironment = lastValue(given, "store") === undefined && lastValue(given, "profile") === undefined;
  if (isFromEnvironment && isRelative === true) {
    const scheme = /^[^:]*/.exec(process.env["OJM_STORE"] ?? "")?.[0];
    tell(
      `ojm: made the store ${file}, as OJM_STORE is relative to this folder: another folder would have another store, with locks of its own. Better: OJM_STORE=${scheme}:${file}`,
    );
  } else if (given.command === "hold") tell(`ojm: made the store ${file}: no run has made it so far`);
}
