import { setTimeout as sleep } from "node:timers/promises";
import { ChannelError, isChannelError, type KeyRange, type WatchSink } from "@ojm/core/backend";
import type { WatchResponse } from "../calls/messages.js";
import type { Nodes } from "../calls/nodes.js";
import { channelErrorOf, GRPC, RpcError } from "../errors.js";
import type { Expiry } from "../expiry/expiry.js";
import type { Codec } from "../layout.js";
import { CompactedError, type ConfirmedWatch } from "./shared-stream.js";
import type { WatchStreams } from "./streams.js";

/** The pause between two attempts to open a stream again, in ms. */
const PAUSE = 50;

/** A restarting node may refuse a valid sign-in. After this many refusals, the refusal is final. */
const MOST_DENIALS = 3;

/**
 * A watch of one range that outlives its streams: it resumes where the last one ended, on any node. If
 * changes before that were compacted, or the store was set back, it reports a gap.
 */
export class RangeWatch {
  readonly #nodes: Nodes;
  readonly #streams: WatchStreams;
  readonly #codec: Codec;
  readonly #expiry: Expiry;
  readonly #range: KeyRange;
  readonly #sink: WatchSink;
  /** All changes below this revision are reported. 0 before the first stream. */
  #next = 0;
  /** The reported keys of revision `#next`: the stream may break between two fragments of a revision. */
  readonly #reported: Set<string> = new Set();
  #watch: ConfirmedWatch | undefined;
  #missed = false;
  #denials = 0;
  #stopped = false;

  constructor(nodes: Nodes, streams: WatchStreams, codec: Codec, expiry: Expiry, range: KeyRange, sink: WatchSink) {
    this.#nodes = nodes;
    this.#streams = streams;
    this.#codec = codec;
    this.#expiry = expiry;
    this.#range = range;
    this.#sink = sink;
  }

  /**
   * Resolves once a node has confirmed the watch.
   *
   * @throws ChannelError after the deadline of a call, or at once if the store refuses
   */
  async start(): Promise<void> {
    const deadline = performance.now() + this.#nodes.deadline;
    for (;;) {
      try {
        await this.#connect();
        break;
      } catch (error) {
        if (this.#isFinal(error) || performance.now() > deadline) throw this.#channelError(error);
      }
      await sleep(PAUSE);
    }
    // Do not await it: it runs as long as the watch, and reports errors to the sink.
    this.#keep().catch((error: unknown) => this.#sink.fail(this.#channelError(error)));
  }

  stop(): void {
    this.#stopped = true;
    this.#watch?.cancel();
  }

  /** Reopens the watch whenever its stream ends, until it is stopped. Throws if the store refuses it. */
  async #keep(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#watch === undefined) await this.#connect();
        const reason = await (this.#watch as ConfirmedWatch | undefined)?.ended;
        if (reason !== undefined) throw reason;
      } catch (error) {
        this.#watch = undefined;
        if (this.#stopped) return;
        if (this.#isFinal(error)) throw error;
        if (error instanceof CompactedError) this.#missed = true;
        else await sleep(PAUSE);
      }
    }
  }

  async #connect(): Promise<void> {
    const isNew = this.#next === 0;
    // A new watch needs only later changes: an up-to-date node can start it at its own revision.
    if (isNew && this.#streams.has(this.#nodes.current) && this.#nodes.isUpToDate) return await this.#open(0, false);
    // Ask for the revision first: that call also finds a node, and renews an expired sign-in.
    const revision = await this.#revision();
    // Do not name a revision: etcd serves a watch of a past one only every 100 ms.
    if (isNew && this.#nodes.isUpToDate) return await this.#open(0, false);
    const setBack = revision < this.#next - (this.#reported.size > 0 ? 0 : 1);
    const missed = this.#missed || setBack;
    if (missed || isNew) this.#continueFrom(revision + 1);
    await this.#open(this.#next, missed);
  }

  /** @param start the first revision to report; 0 for the one after the node's present revision */
  async #open(start: number, missed: boolean): Promise<void> {
    const node = this.#nodes.current;
    const [key, range_end] = [this.#codec.key(this.#range.from), this.#codec.key(this.#range.to)];
    const request = { key, range_end, start_revision: String(start), fragment: true };
    try {
      const watch = await this.#streams.watch(node, request, {
        confirmed: (revision) => {
          if (start === 0) this.#continueFrom(revision + 1);
          this.#missed = false;
          if (missed && !this.#stopped) this.#sink.gap();
        },
        changes: (response) => this.#report(response),
      });
      this.#watch = watch;
      if (this.#stopped) watch.cancel();
      // A node may refuse a watch that it just confirmed: only its end shows whether it has access.
      watch.ended.then(
        (reason) => this.#watchEnded(reason, node),
        () => undefined,
      );
    } catch (error) {
      if (missed) this.#missed = true;
      if (error instanceof RpcError) this.#watchEnded(error, node);
      throw error;
    }
  }

  #watchEnded(reason: RpcError, node: Nodes["current"]): void {
    if (reason.code === GRPC.permissionDenied) this.#denials++;
    if (!this.#stopped && !(reason instanceof CompactedError)) this.#nodes.distrust(node);
  }

  async #revision(): Promise<number> {
    const request = { key: this.#codec.key(this.#range.from), count_only: true };
    const { header } = await this.#nodes.call("read", (node, limits) => node.range(request, limits));
    return Number(header.revision);
  }

  #continueFrom(revision: number): void {
    this.#next = revision;
    this.#reported.clear();
  }

  #report(response: WatchResponse): void {
    this.#denials = 0;
    for (const { type, kv } of response.events) {
      if (this.#stopped) return;
      const revision = Number(kv.mod_revision);
      if (revision > this.#next) this.#continueFrom(revision);
      const key = this.#codec.keyOf(kv.key);
      if (revision < this.#next || this.#reported.has(key)) continue;
      this.#reported.add(key);
      if (type === "Delete") {
        this.#expiry.deadlines.gone(key, String(revision));
        this.#sink.change({ key, value: null, version: String(revision) });
      } else {
        // Do not report an entry that has expired already: its delete is under way.
        const entry = this.#expiry.see(this.#codec.entry(kv));
        if (entry !== undefined) this.#sink.change(entry);
      }
    }
  }

  #isFinal(error: unknown): boolean {
    if (isChannelError(error)) return !error.retryable;
    if (!(error instanceof RpcError)) return true;
    return error.code === GRPC.permissionDenied ? this.#denials >= MOST_DENIALS : !error.transient;
  }

  #channelError(error: unknown): ChannelError {
    if (isChannelError(error)) return error;
    if (error instanceof RpcError) return channelErrorOf(error, this.#nodes.names, false);
    return new ChannelError("FAILED", "the watch failed", { cause: error });
  }
}
