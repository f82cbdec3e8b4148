import type { Commit, CommitOutcome } from "@ojm/core/backend";
import { explainPart } from "../errors.js";
import { entryAt, type Reply } from "../reply.js";
import type { EncodedCommit } from "./encode.js";

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
