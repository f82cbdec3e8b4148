import { ChannelError, type Commit, type CommitOutcome, type StoredEntry } from "@ojm/core/backend";
import type { EncodedCommit } from "./commit/encode.js";
import { explainPart } from "./errors.js";

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

/** The script's reply for one commit. */
export type CommitReply = string | readonly Reply[];

/**
 * Decodes a script's reply for one commit.
 *
 * @param where the server, for messages
 * @throws ChannelError if this commit, as one of several, failed in the server; `CORRUPT` if the entry of a
 * failed check was not written by ojm
 */
export function outcomeOf(
  reply: CommitReply,
  { checks }: Commit,
  { places }: EncodedCommit,
  where: string,
): CommitOutcome {
  if (typeof reply !== "string") {
    return { ok: false, current: checks.map(({ key }, i) => entryAt(reply, (places[i] ?? 0) * 3, key)) };
  }
  const [, outcome, text = ""] = /^(refused|unknown) (.*)$/s.exec(reply) ?? [];
  if (outcome === undefined) return { ok: true, version: reply };
  throw explainPart(text, where, outcome === "unknown" ? "unknown" : "not-applied");
}
