import { ChannelError, type StoredEntry } from "@ojm/core/backend";

/** A part of a reply of the scripts. */
export type Reply = string | number | null;

/**
 * Decodes version, value and remaining microseconds, as the scripts return them. An entry that another
 * program wrote is visible only by its key, with a version that no entry has. Its value cannot be read.
 *
 * @throws ChannelError `CORRUPT` for the value of such an entry
 */
export function entryAt(
  reply: readonly Reply[],
  at: number,
  key: string,
  values: boolean = true,
): StoredEntry | undefined {
  const version = reply[at];
  const value = reply[at + 1];
  const left = reply[at + 2];
  if (version === "?") {
    if (values) throw new ChannelError("CORRUPT", `the entry ${key} was not written by ojm`);
    return { key, value: "", version: "0" };
  }
  if (typeof version !== "string" || typeof value !== "string") return undefined;
  return typeof left === "number" ? { key, value, version, expiresIn: left / 1_000 } : { key, value, version };
}
