import type { EtcdNode } from "../calls/client.js";
import type { CreateWatch, WatchResponse, WatchStream } from "../calls/messages.js";
import { GRPC, RpcError, rpcErrorOf } from "../errors.js";

/** A stream that is silent for this long, in ms, gets a probe; after as long again, it is ended. */
const SILENCE = 1_500;

/** How long a node may take to open a stream and to confirm a watch, in ms. */
const CONFIRM = 2_000;

/** How long a stream without a watch stays open for the next one, in ms. */
const LINGER = 1_000;

/** The revision to watch from is compacted. */
export class CompactedError extends RpcError {
  constructor(revision: string) {
    super(GRPC.unavailable, `compacted up to revision ${revision}`, true);
  }
}

/** Receives the events of a watch. `confirmed` comes first, and once. */
export interface StreamListener {
  /** @param revision the node's present one. Without a `start_revision`, later changes are reported */
  confirmed(revision: number): void;
  changes(response: WatchResponse): void;
}

/** A watch that the node has confirmed. `ended` resolves to the reason for its end. */
export interface ConfirmedWatch {
  readonly ended: Promise<RpcError>;
  cancel(): void;
}

interface Watching {
  readonly listener: StreamListener;
  confirm(revision: number): void;
  end(error: RpcError): void;
}

const NO_LISTENER: StreamListener = { confirmed: () => undefined, changes: () => undefined };

/** One stream to a node for all watches there. One per watch would cost five times as much as a watch. */
export class SharedStream {
  readonly #name: string;
  readonly #stream: WatchStream;
  /** The key that probes watch. Its changes do not matter. */
  readonly #probeKey: Buffer;
  readonly #onEnd: () => void;
  readonly #watches: Map<number, Watching> = new Map();
  /** The ids of the unanswered watches, in the order of the requests, which is that of the answers. */
  readonly #unconfirmed: Set<number> = new Set();
  #nextId = 0;
  /** When the last message arrived, in monotonic ms. */
  #heard = performance.now();
  #life: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #retired = false;
  #over: RpcError | undefined;

  /** Opens a stream, or rejects with an `RpcError`. Calls `onEnd` once the stream is of no more use. */
  static async open(node: EtcdNode, probeKey: Buffer, onEnd: () => void): Promise<SharedStream> {
    return new SharedStream(node.name, await node.watch({ timeout: CONFIRM }), probeKey, onEnd);
  }

  private constructor(name: string, stream: WatchStream, probeKey: Buffer, onEnd: () => void) {
    this.#name = name;
    this.#stream = stream;
    this.#probeKey = probeKey;
    this.#onEnd = onEnd;
    stream.on("error", (error) => this.end(rpcErrorOf(error)));
    stream.on("end", () => this.end(new RpcError(GRPC.unavailable, "the watch stream ended", true)));
    stream.on("data", (response) => this.#take(response));
  }

  /** Resolves once the node has confirmed the watch; rejects with an `RpcError` if it does not in time. */
  watch(request: CreateWatch, listener: StreamListener, patience: number = CONFIRM): Promise<ConfirmedWatch> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      const id = this.#nextId++;
      let settle: (error: RpcError) => void = () => undefined;
      const ended = new Promise<RpcError>((resolve) => {
        settle = resolve;
      });
      // A node that does not confirm is frozen or cut off: no watch would receive anything on the stream.
      const unconfirmed = setTimeout(() => this.end(this.#silent()), patience);
      this.#watches.set(id, {
        listener,
        confirm: (revision) => {
          clearTimeout(unconfirmed);
          listener.confirmed(revision);
          resolve({ ended, cancel: () => this.#cancel(id) });
        },
        end: (error) => {
          clearTimeout(unconfirmed);
          reject(error);
          settle(error);
        },
      });
      this.#unconfirmed.add(id);
      this.#watchOver();
      // The first id is 0, which leaves the choice to the node. The node counts from 0 too.
      this.#stream.write({ create_request: { ...request, watch_id: String(id) } });
    });
  }

  /** Ends the stream with the last of its present watches. It gets no further ones. */
  retire(): void {
    this.#retired = true;
    this.#rest();
  }

  /** Ends the stream and all its watches with this error. */
  end(error: RpcError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    clearTimeout(this.#life);
    clearTimeout(this.#idle);
    this.#onEnd();
    this.#stream.cancel();
    const all = [...this.#watches.values()];
    this.#watches.clear();
    for (const watching of all) watching.end(error);
  }

  #take(response: WatchResponse): void {
    if (this.#over !== undefined) return;
    this.#heard = performance.now();
    const id = Number(response.watch_id);
    if (response.created) this.#answered(id, response);
    else if (!response.canceled) this.#watches.get(id)?.listener.changes(response);
    // A response without an id concerns all watches.
    else if (id < 0) this.end(reasonOf(response));
    else this.#ended(id, reasonOf(response));
  }

  #answered(id: number, response: WatchResponse): void {
    // Some versions of etcd refuse a watch without naming it: it is the oldest one without an answer.
    const [oldest] = this.#unconfirmed;
    const asked = response.canceled && !this.#unconfirmed.has(id) ? oldest : id;
    if (asked === undefined || !this.#unconfirmed.delete(asked)) {
      this.end(new RpcError(GRPC.unknown, "the node ignored the id of a watch: it is not etcd 3.4 or later", true));
      return;
    }
    if (response.canceled) this.#ended(asked, reasonOf(response));
    else this.#watches.get(asked)?.confirm(Number(response.header.revision));
  }

  #cancel(id: number): void {
    if (!this.#watches.has(id)) return;
    this.#stream.write({ cancel_request: { watch_id: String(id) } });
    this.#ended(id, new RpcError(GRPC.cancelled, "the watch was ended", true));
  }

  #ended(id: number, reason: RpcError): void {
    const watching = this.#watches.get(id);
    this.#watches.delete(id);
    watching?.end(reason);
    this.#rest();
  }

  /**
   * Distinguishes a quiet stream from a dead one. A frozen node or a cut cable closes no connection, and gRPC
   * allows its own pings at most every five seconds.
   *
   * The probe is an additional watch. A request for progress would not do: etcd does not answer it while any
   * watch of the stream waits for a future revision, which on a quiet store never comes.
   */
  #watchOver(): void {
    clearTimeout(this.#idle);
    if (this.#life !== undefined) return;
    this.#heard = performance.now();
    this.#lookIn(SILENCE);
  }

  #lookIn(ms: number): void {
    this.#life = setTimeout(() => {
      const silent = performance.now() - this.#heard;
      this.#lookIn(silent < SILENCE ? SILENCE - silent : SILENCE);
      if (silent >= SILENCE) this.#probe();
    }, ms);
    this.#life.unref();
  }

  #probe(): void {
    const range_end = Buffer.concat([this.#probeKey, Buffer.of(0)]);
    const request = { key: this.#probeKey, range_end, start_revision: "0", fragment: false };
    // A refusal is a sign of life as well.
    this.watch(request, NO_LISTENER, SILENCE).then(
      (watch) => watch.cancel(),
      () => undefined,
    );
  }

  /** Without watches, stops the probes, and closes the stream unless a new watch comes soon. */
  #rest(): void {
    if (this.#watches.size > 0 || this.#over !== undefined) return;
    clearTimeout(this.#life);
    this.#life = undefined;
    clearTimeout(this.#idle);
    const close = (): void => this.end(new RpcError(GRPC.cancelled, "nothing is watched", true));
    if (this.#retired) close();
    else this.#idle = setTimeout(close, LINGER).unref();
  }

  #silent(): RpcError {
    return new RpcError(GRPC.deadlineExceeded, `the watch stream to ${this.#name} fell silent`, true);
  }
}

function reasonOf(response: WatchResponse): RpcError {
  if (Number(response.compact_revision) > 0) return new CompactedError(String(response.compact_revision));
  const denied = response.cancel_reason.includes("permission denied");
  return new RpcError(denied ? GRPC.permissionDenied : GRPC.unavailable, response.cancel_reason, true);
}
