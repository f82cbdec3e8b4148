import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Position } from "./problem.js";

/**
 * The absolute path that a job file means. A relative path begins at the folder of the file that says it, as
 * in compose files. If it began at the working directory, the same file started from two folders would use
 * two stores, and run twice at once.
 */
export function saidPath(path: string, { source }: Pick<Position, "source">): string {
  return resolve(dirname(source.path), path);
}

/**
 * A file in the working directory that a relative path does not mean, while there is nothing at the place
 * that it means. Releases up to 0.1 looked there.
 */
export function misplaced(path: string, meant: string): string | undefined {
  const here = resolve(path);
  return here !== meant && !existsSync(meant) && existsSync(here) ? here : undefined;
}

/** What to tell of a path that is misplaced. */
export function misplacedNote(here: string, meant: string): string {
  return `There is ${here}, but the path means ${meant}: a relative path begins at the folder of the file that says it. Move the one that is there, or give its whole path.`;
}

/** What to tell of a file that is missing. */
export function missingFile(path: string, at: Position): string {
  const meant = saidPath(path, at);
  const here = misplaced(path, meant);
  const note =
    here === undefined ? "" : ` There is ${here}, but a relative path begins at the folder of the file that says it.`;
  return `there is no file ${path} beside ${at.source.name}: ${meant} is missing.${note}`;
}

/**
 * Where the copy of a job file from the network is, from the folder of the file that names it:
 * `urls/HOST/PATH`. `undefined` if the text is no address. ojm runs nothing that it would fetch itself.
 */
export function copyOf(url: string): string | undefined {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  return `./urls/${host.replace(":", "_")}${pathname}`;
}
