import { resolve } from "node:path";
import type { JobManagerOptions, OpenOptions } from "@ojm/core";
import { parseStore, storeForms } from "@ojm/core/internal";
import { CommandError } from "../errors.js";

/** The stores of jobs, locks and logs. */
export interface Location {
  readonly jobs: OpenOptions;
  readonly locks: OpenOptions;
  readonly logs?: OpenOptions;
  /** The files that the store is in, if any: a read-only command does not create them. */
  readonly files: readonly string[];
  /** Whether the path was written relative to a folder. */
  readonly isRelative?: boolean;
  /** Which records the store keeps, if a config file says so. */
  readonly retention?: NonNullable<JobManagerOptions["retention"]>;
  /** The place in a config file, or the variable, that names it: errors start with it. */
  readonly where?: string;
}

/** A job file that sets up a job manager. */
export interface JobFileLocation {
  readonly jobFile: string;
}

/** The forms in which a store can be written. */
export const FORMS: string = storeForms("a job file");

/**
 * Parses the text form of a store. Relative paths start at `folder`. `where`: the place in a file, or the
 * variable, with which an error starts.
 *
 * @throws CommandError, even for a store in memory, which other processes cannot see
 */
export function locate(text: string, folder: string, where?: string): Location | JobFileLocation {
  if (/\.(ya?ml|json)$/.test(text)) return { jobFile: resolve(folder, text) };
  try {
    const { store, path, isRelative } = parseStore(text, folder, FORMS);
    if (store.type === "simple") throw new Error(`other processes cannot see a store in memory: write ${FORMS}`);
    const files = path === undefined ? [] : [path];
    const more = { ...(isRelative !== undefined && { isRelative }), ...(where !== undefined && { where }) };
    return { jobs: store, locks: store, files, ...more };
  } catch (error) {
    throw new CommandError(`${where === undefined ? "" : `${where}: `}${(error as Error).message}`);
  }
}
