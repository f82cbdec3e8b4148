import { ChannelError, rejectUnknownOptions } from "@ojm/core/backend";

/**
 * What an acknowledged write survives. `process`: the death of any process (WAL, `synchronous=NORMAL`).
 * `host`: also a power cut, for one wait on the disk per transaction (`synchronous=FULL`).
 */
export type Durability = "process" | "host";

/** The checked options of the type. */
export interface SqliteOptions {
  readonly file: string;
  readonly durability: Durability;
}

function invalid(message: string): ChannelError {
  return new ChannelError("INVALID_CONFIG", message);
}

/** The names of the options. */
export const OPTIONS: readonly string[] = ["file", "durability"];

function readFile(file: unknown): string {
  if (file === undefined) {
    throw invalid('channel type "sqlite" needs the option "file": the path of the database, such as "./data/jobs.db"');
  }
  if (typeof file !== "string") {
    throw invalid(
      `option "file" of channel type "sqlite" must be a string, not ${file === null ? "null" : typeof file}`,
    );
  }
  if (file.trim() === "" || file.includes("\0")) {
    throw invalid('option "file" of channel type "sqlite" must be the path of a file');
  }
  if (file === ":memory:") {
    throw invalid('channel type "sqlite" keeps a file on disk; for a channel in memory, use the type "simple"');
  }
  return file;
}

function readDurability(durability: unknown): Durability {
  if (durability === undefined) return "process";
  if (durability === "process" || durability === "host") return durability;
  throw invalid('option "durability" of channel type "sqlite" must be "process" or "host"');
}

/**
 * Checks the `args` of a channel.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function readOptions(args: Readonly<Record<string, unknown>>): SqliteOptions {
  rejectUnknownOptions("sqlite", args, OPTIONS);
  return { file: readFile(args["file"]), durability: readDurability(args["durability"]) };
}
