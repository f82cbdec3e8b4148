import { resolve } from "node:path";
import type { JobManagerOptions, OpenOptions } from "@ojm/core";
import { parseStore, storeForms } from "@ojm/core/internal";
import { CommandError } from "../errors.js";

/** Where jobs, locks and logs are. */
export interface Location {
  readonly jobs: OpenOptions;
  readonly locks: OpenOptions;
  readonly logs?: OpenOptions;
  /** The file that a store is in, if it is one: a command that only looks does not make it. */
  readonly files: readonly string[];
  /** Whether the path was written relative to a folder. */
  readonly isRelative?: boolean;
  /** Which records the store keeps, where a config file says so. */
  readonly retention?: NonNullable<JobManagerOptions["retention"]>;
  /** The place in a config file, or the variable, that names it: errors begin with it. */
  readonly where?: string;
}

/** A job file that sets up a job manager. */
export interface JobFileLocation {
  readonly jobFile: string;
}

/** How a store is written. */
export const FORMS: string = storeForms("a job file");

/**
 * Reads where a store is, as people write it. Relative paths begin at `folder`.
 *
 * @throws CommandError, also for a store in memory, which other processes cannot see
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
