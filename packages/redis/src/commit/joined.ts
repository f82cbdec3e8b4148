import type { ChannelError, Commit, CommitOutcome } from "@ojm/core/backend";
import { JoinedCommit } from "@ojm/core/internal";
import type { RedisClient } from "../connection/client.js";
import type { Call, Connection } from "../connection/connection.js";
import { neverSent } from "../errors.js";
import { foreignReply, outcomeOf } from "../reply.js";
import { evaluate, type Script } from "../scripts.js";
import type { EncodedCommit } from "./encode.js";

/** The most commits of one call. All of them have an unknown outcome if its answer is lost. */
const COMMITS_PER_CALL = 32;

/** About how many bytes the arguments of one call may have, unless it is of one commit alone. */
const BYTES = 64 * 1_024;

export interface JoinedOptions {
  readonly connection: Connection;
  /** The script of one commit, and that of several. */
  readonly one: Script;
  readonly several: Script;
  /** The key of the last version. */
  readonly version: string;
  readonly where: string;
}

/** One commit of a call of several. */
class Part extends JoinedCommit {
  readonly encoded: EncodedCommit;
  readonly #commit: Commit;
  readonly #where: string;

  constructor(commit: Commit, encoded: EncodedCommit, where: string, signal: AbortSignal | undefined) {
    super(signal);
    this.encoded = encoded;
    this.#commit = commit;
    this.#where = where;
  }

  /** Ends it with the script's reply for this part. */
  accept(reply: unknown): void {
    try {
      this.answer(outcomeOf(reply, this.#commit, this.encoded, this.#where));
    } catch (error) {
      this.fail(error as ChannelError);
    }
  }
}

/**
 * Joins the commits that are made in one turn of the event loop to one call of a script, which judges each
 * alone. A call costs the server and the client more than a commit.
 */
export class JoinedCommits {
  readonly #options: JoinedOptions;
  #parts: Part[] = [];
  #bytes = 0;
  readonly #atEnd = (): void => this.send();

  constructor(options: JoinedOptions) {
    this.#options = options;
  }

  /** Makes a commit, in the order of the calls. */
  commit(commit: Commit, encoded: EncodedCommit, signal: AbortSignal | undefined): Promise<CommitOutcome> {
    const part = new Part(commit, encoded, this.#options.where, signal);
    if (part.isOver) return part.outcome;
    if (this.#parts.length === COMMITS_PER_CALL || this.#bytes + encoded.size > BYTES) this.send();
    // Wait no longer: this runs after the microtasks of the turn, before any timer or other socket.
    if (this.#parts.length === 0) process.nextTick(this.#atEnd);
    this.#parts.push(part);
    this.#bytes += encoded.size;
    return part.outcome;
  }

  /** Sends the commits that were joined so far, without waiting for the end of the turn. */
  send(): void {
    if (this.#parts.length === 0) return;
    const parts = this.#parts.filter((part) => !part.isOver);
    this.#parts = [];
    this.#bytes = 0;
    if (parts.length > 0) this.#start(parts);
  }

  #start(parts: readonly Part[]): void {
    let sent: readonly Part[] = [];
    const send = async (client: RedisClient): Promise<readonly unknown[]> => {
      // A part may have been aborted during the wait for a connection.
      sent = parts.filter((part) => !part.isOver);
      for (const part of sent) part.isSent = true;
      try {
        return await this.#evaluate(client, sent);
      } catch (error) {
        // The next connection sends them.
        if (neverSent(error)) for (const part of sent) part.isSent = false;
        throw error;
      }
    };
    const call: Call<readonly unknown[]> = this.#options.connection.start(send);
    const onAbort = (reason: ChannelError): void => {
      if (parts.every((part) => part.isOver)) call.fail(reason);
    };
    for (const part of parts) part.onAbort = onAbort;
    call.result.then(
      (replies) => {
        for (const [i, part] of sent.entries()) part.accept(replies[i]);
      },
      (error: ChannelError) => this.#onError(parts, error),
    );
  }

  async #evaluate(client: RedisClient, parts: readonly Part[]): Promise<readonly unknown[]> {
    const { one, several, version, where } = this.#options;
    const [first, ...others] = parts;
    if (first === undefined) return [];
    if (others.length === 0) {
      const { keys, args } = first.encoded;
      return [await evaluate(client, one, [version, ...keys], args)];
    }
    const keys = [version];
    const args = [parts.some(({ encoded }) => encoded.puts) ? "puts" : ""];
    for (const { encoded } of parts) {
      for (const key of encoded.keys) keys.push(key);
      args.push(String(encoded.args.length));
      for (const arg of encoded.args) args.push(arg);
    }
    const replies = await evaluate(client, several, keys, args);
    if (Array.isArray(replies) && replies.length === parts.length) return replies;
    throw foreignReply(where, "unknown");
  }

  #onError(parts: readonly Part[], error: ChannelError): void {
    const left = parts.filter((part) => !part.isOver);
    // The server refuses a call as a whole if its user may not have one of the keys.
    const alone = parts.length > 1 && error.code === "DENIED" && error.outcome === "not-applied";
    for (const part of left) {
      if (!alone) {
        part.fail(error);
        continue;
      }
      part.isSent = false;
      this.#start([part]);
    }
  }
}
