import { ChannelError, type Commit, type CommitOutcome, type StoredEntry } from "@ojm/core/backend";
import type { EncodedCommit } from "./commit/encode.js";
import { explainPart } from "./errors.js";

/** A part of a reply of the scripts. */
export type Reply = string | number | null;

/** How many replies the scripts give for each entry: version, value and remaining microseconds. */
export const REPLIES = 3;

const VERSION = /^\d+$/;

/** Whether a reply has an entry at a place: three nulls for an absent one. */
function isEntry(reply: readonly unknown[], at: number): boolean {
  const [version, value, left] = [reply[at], reply[at + 1], reply[at + 2]];
  if (version === null) return value === null && left === null;
  if (typeof version !== "string" || typeof value !== "string") return false;
  return (VERSION.test(version) || version === "?") && (left === null || typeof left === "number");
}

/** Whether a reply consists of this many entries. */
export function areEntries(reply: unknown, count: number): reply is readonly Reply[] {
  if (!Array.isArray(reply) || reply.length !== REPLIES * count) return false;
  for (let i = 0; i < count; i++) if (!isEntry(reply, REPLIES * i)) return false;
  return true;
}

/** Whether a reply is that of a scan: where to continue, then the key and the parts of each entry. */
export function isPage(reply: unknown): reply is readonly Reply[] {
  if (!Array.isArray(reply) || typeof reply[0] !== "string" || reply.length % (REPLIES + 1) !== 1) return false;
  for (let at = 1; at < reply.length; at += REPLIES + 1) {
    if (typeof reply[at] !== "string" || reply[at + 1] === null || !isEntry(reply, at + 1)) return false;
  }
  return true;
}

/**
 * The error for a reply that no script gives. Without it, a reply that was changed on its way would look like
 * an absent entry, or like the outcome of a commit.
 */
export function foreignReply(where: string, outcome: "not-applied" | "unknown"): ChannelError {
  const message = `${where} gave an answer that no script of ojm gives. Look into what is between it and this program`;
  return new ChannelError("FAILED", message, { outcome });
}

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

/**
 * Decodes a script's reply for one commit.
 *
 * @param where the server, for messages
 * @throws ChannelError if this commit, as one of several, failed in the server, or if the reply is not one of
 * the script; `CORRUPT` if the entry of a failed check was not written by ojm
 */
export function outcomeOf(reply: unknown, { checks }: Commit, { places }: EncodedCommit, where: string): CommitOutcome {
  if (typeof reply !== "string") {
    if (checks.length === 0 || !areEntries(reply, checks.length)) throw foreignReply(where, "unknown");
    return { ok: false, current: checks.map(({ key }, i) => entryAt(reply, (places[i] ?? 0) * REPLIES, key)) };
  }
  if (VERSION.test(reply)) return { ok: true, version: reply };
  const [, outcome, text = ""] = /^(refused|unknown) (.*)$/s.exec(reply) ?? [];
  if (outcome === undefined) throw foreignReply(where, "unknown");
  throw explainPart(text, where, outcome === "unknown" ? "unknown" : "not-applied");
}
