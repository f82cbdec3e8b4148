import { setTimeout as sleep } from "node:timers/promises";
import { type CallOptions, ChannelError, durationText } from "@ojm/core/backend";
import { channelErrorOf, GRPC, RpcError } from "../errors.js";
import type { CallLimits, EtcdNode } from "./client.js";
import type { Header, RangeResponse } from "./messages.js";

/** How long a node may stay silent before calls that can use another node do so, in ms. */
const PATIENCE = 1_000;

/** How much longer a write waits for an answer that will most likely not come, in ms. */
const GRACE = 500;

/** The pause between two rounds through the nodes if none can be reached, in ms. */
const PAUSE = 50;

/** A call is repeated on another node only if that cannot apply it twice. */
export type CallKind = "read" | "write";

interface Answer {
  readonly header: Header;
}

interface Member {
  readonly node: EtcdNode;
  /** Whether the node answered lately, and has kept no call waiting since. */
  trusted: boolean;
}

/**
 * The nodes of a cluster, used as one that answers within a deadline.
 *
 * Calls go to one node until it fails or stays silent. A node that is not trusted first gets a harmless
 * request, which also proves that it has a quorum: a write to a frozen or cut-off node could neither be
 * repeated nor taken back.
 */
export class Nodes {
  readonly #members: readonly Member[];
  /** The longest time that a call may take, in ms. */
  readonly deadline: number;
  readonly #probeKey: Buffer;
  #current = 0;
  /** Whether the current node has answered since it became the current one. */
  #inTouch = false;
  /** The latest election that an answer has shown. */
  #term = 0;
  #closed = false;

  constructor(nodes: readonly EtcdNode[], deadline: number, probeKey: Buffer) {
    this.#members = nodes.map((node) => ({ node, trusted: false }));
    this.deadline = deadline;
    this.#probeKey = probeKey;
    // Start at a random node: several programs with the same list must not all use its first one.
    this.#current = Math.floor(Math.random() * nodes.length);
  }

  get names(): string {
    return this.#members.map(({ node }) => node.name).join(", ");
  }

  /** The node that the next call goes to. */
  get current(): EtcdNode {
    return this.#member().node;
  }

  /** Whether the current node gave the last answer: being linearizable, that had all data of earlier ones. */
  get isUpToDate(): boolean {
    return this.#inTouch && !this.current.several;
  }

  /**
   * Makes a call, and repeats it on the next node if one fails, until it is answered or the deadline passes.
   * Does not repeat a write that may have been carried out. `until` (monotonic ms) is an earlier deadline.
   *
   * @throws ChannelError
   */
  async call<T extends Answer>(
    kind: CallKind,
    send: (node: EtcdNode, limits: CallLimits) => Promise<T>,
    options: CallOptions & { readonly until?: number } = {},
  ): Promise<T> {
    const end = Math.min(performance.now() + this.deadline, options.until ?? Number.POSITIVE_INFINITY);
    let last: { readonly error: RpcError; readonly host: string } | undefined;
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw new ChannelError("CLOSED", "the etcd backend is closed");
      if (options.signal?.aborted) throw aborted(false);
      const left = end - performance.now();
      if (left < 1) throw this.#deadlineReached(last);
      const member = this.#member();
      try {
        return await this.#attempt(kind, member, send, { timeout: left, signal: options.signal }, attempt);
      } catch (thrown) {
        if (!(thrown instanceof RpcError)) throw thrown;
        if (options.signal?.aborted) throw aborted(kind === "write" && thrown.sent);
        if (!thrown.transient) throw channelErrorOf(thrown, member.node.name, kind === "write");
        this.distrust(member.node);
        if (kind === "write" && thrown.sent) throw channelErrorOf(thrown, member.node.name, true);
        last = { error: thrown, host: member.node.name };
      }
      if ((attempt + 1) % this.#members.length === 0)
        await sleep(Math.min(PAUSE, Math.max(0, end - performance.now())));
    }
  }

  /** Sends the next calls to another node. This node has to prove itself before it gets calls again. */
  distrust(node: EtcdNode): void {
    const member = this.#member();
    for (const each of this.#members) if (each.node === node) each.trusted = false;
    // If many calls fail together, only the first one moves on: the others would skip healthy nodes.
    if (member.node !== node) return;
    this.#current = (this.#current + 1) % this.#members.length;
    this.#inTouch = false;
  }

  close(): void {
    this.#closed = true;
    for (const { node } of this.#members) node.close();
  }

  #member(): Member {
    return this.#members[this.#current] as Member;
  }

  async #attempt<T extends Answer>(
    kind: CallKind,
    member: Member,
    send: (node: EtcdNode, limits: CallLimits) => Promise<T>,
    limits: { readonly timeout: number; readonly signal: AbortSignal | undefined },
    attempt: number,
  ): Promise<T> {
    const alone = this.#members.length === 1;
    const start = performance.now();
    if (!alone && !member.trusted) await this.#probe(member, limits);
    const left = limits.timeout - (performance.now() - start);
    // More time with each attempt: a frozen node delays a read briefly, and a large one ends at last.
    const patience = kind === "read" && !alone ? PATIENCE * (1 + attempt) : left;
    const result = send(member.node, { timeout: Math.max(1, Math.min(left, patience)), signal: limits.signal });
    const answer = await (alone ? result : this.#impatiently(kind, member, result));
    this.#term = Math.max(this.#term, Number(answer.header.raft_term));
    member.trusted = true;
    if (member === this.#member()) this.#inTouch = true;
    return answer;
  }

  /** Waits for an answer. After a while, sends other calls elsewhere, and gives up a write that is lost. */
  async #impatiently<T>(kind: CallKind, member: Member, answer: Promise<T>): Promise<T> {
    const term = this.#term;
    let timer: NodeJS.Timeout | undefined;
    const settled = new AbortController();
    const lost = new Promise<never>((_, reject) => {
      const text = "no answer, and the cluster has a new leader";
      const giveUp = (): void => reject(new RpcError(GRPC.unavailable, text, true));
      timer = setTimeout(async () => {
        this.distrust(member.node);
        if (kind !== "write" || !(await this.#isLost(member, term, settled.signal))) return;
        if (!settled.signal.aborted) timer = setTimeout(giveUp, GRACE);
      }, PATIENCE);
    });
    try {
      return await Promise.race([answer, lost]);
    } finally {
      settled.abort();
      clearTimeout(timer);
    }
  }

  /**
   * Whether an unanswered write will most likely never be answered: its node has passed it on to a leader
   * that has died since, whose answer etcd awaits for seven seconds. Only the node itself can show that.
   *
   * While the node is silent, this waits. A node that is silent for seconds, on a busy machine or behind a
   * bad network, may still carry out the write and answer. A slow disk delays only the write.
   */
  async #isLost(member: Member, term: number, settled: AbortSignal): Promise<boolean> {
    while (!settled.aborted) {
      try {
        const { header } = await this.#ask(member.node, PATIENCE, settled);
        return Number(header.raft_term) > term;
      } catch (error) {
        if (!(error instanceof RpcError) || !error.transient) return false;
        await sleep(PAUSE);
      }
    }
    return false;
  }

  async #probe(member: Member, limits: CallLimits): Promise<void> {
    const timeout = Math.min(limits.timeout, PATIENCE);
    try {
      await this.#ask(member.node, timeout, limits.signal);
    } catch (error) {
      // A node that refuses is awake. The call itself will say what is wrong.
      if (error instanceof RpcError && error.transient) throw new RpcError(error.code, error.details, false, error);
    }
    member.trusted = true;
  }

  /** Makes a harmless request that only a node with a quorum can answer. */
  #ask(node: EtcdNode, timeout: number, signal?: AbortSignal): Promise<RangeResponse> {
    return node.range({ key: this.#probeKey, count_only: true }, { timeout, signal });
  }

  #deadlineReached(last: { readonly error: RpcError; readonly host: string } | undefined): ChannelError {
    const error =
      last?.error ?? new RpcError(GRPC.deadlineExceeded, `not reached within ${durationText(this.deadline)}`, false);
    // Pass `writing` as false: only calls that were surely not carried out, or that change nothing, get here.
    return channelErrorOf(error, this.#members.length > 1 ? this.names : (last?.host ?? this.names), false);
  }
}

function aborted(inDoubt: boolean): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted", { outcome: inDoubt ? "unknown" : "not-applied" });
}
