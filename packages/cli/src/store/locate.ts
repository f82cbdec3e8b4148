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
 * Parses the text form of a store. Relative paths start at `folder`.
 *
 * @throws CommandError, even for a store in memory, which other processes cannot see
 */
export function locate(text: string, folder: string): Location | JobFileLocation {
  if (/\.(ya?ml|json)$/.test(text)) return { jobFile: resolve(folder, text) };
  const { store, path, isRelative } = parsed(text, folder);
  if (store.type === "simple") throw new CommandError(`other processes cannot see a store in memory: write ${FORMS}`);
  const files = path === undefined ? [] : [path];
  return { jobs: store, locks: store, files, ...(isRelative !== undefined && { isRelative }) };
}

function parsed(text: string, folder: string): ReturnType<typeof parseStore> {
  try {
    return parseStore(text, folder, FORMS);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
