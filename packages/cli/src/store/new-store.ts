import { existsSync } from "node:fs";
import type { Given } from "../command-line/spec.js";
import { wantsJson } from "../output/print.js";
import { tell } from "../output/tell.js";
import type { Location } from "./locate.js";

/** The files and folders of a store that are not there: opening it makes them. */
export function missingOf({ files }: Location): readonly string[] {
  return files.filter((file) => !existsSync(file));
}

/**
 * Tells of a store that was made, once: somebody may have meant another one. With a relative path, each
 * folder has its own store and its own lock, so a job runs twice in silence.
 */
export function tellMade(
  given: Given,
  { isRelative, where = "--store", jobs }: Location,
  made: readonly string[],
): void {
  const [file] = made;
  if (file === undefined || wantsJson(given)) return;
  if (isRelative !== true) {
    tell(`ojm: made the store ${file}: there was none`);
    return;
  }
  const better = `${where === "--store" ? "--store " : `${where}=`}${jobs.type}:${file}`;
  tell(
    `ojm: made the store ${file}, as ${where} is relative to this folder: another folder would have another store, with locks of its own. Better: ${better}`,
  );
}
