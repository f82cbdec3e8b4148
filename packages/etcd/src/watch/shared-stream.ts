import type { EtcdNode } from "../calls/client.js";
import type { CreateWatch, WatchResponse, WatchStream } from "../calls/messages.js";
import { GRPC, RpcError, rpcErrorOf } from "../errors.js";

/**
 * A stream on which nothing came for so long (ms) is asked for a sign of life, and given up when as long
 * again none came.
 */
const SILENCE = 1_500;

/** How long a node may take to open a stream and to confirm a watch, in ms. */
const CONFIRM = 2_000;

/**
 * How long a stream without a watch is kept for the next one, in ms. Not for long: an open stream keeps the
 * process alive.
 */
const LINGER = 1_000;

/** The revision to watch from is compacted away. */
export class CompactedError extends RpcError {
  constructor(revision: string) {
    super(GRPC.unavailable, `compacted up to revision ${revision}`, true);
  }
}

/** What is told of a watch. `confirmed` comes first, and once. */
export interface StreamListener {
  /** @param revision where the node stands: without a `start_revision`, all that comes later is told */
  confirmed(revision: number): void;
  changes(response: WatchResponse): void;
}

/** A watch that the node has confirmed. `ended` resolves with what ended it. */
export interface ConfirmedWatch {
  readonly ended: Promise<RpcError>;
  cancel(): void;
}

interface Watching {
  readonly listener: StreamListener;
  confirm(revision: number): void;
  end(error: RpcError): void;
}

const NOBODY: StreamListener = { confirmed: () => undefined, changes: () => undefined };

/**
 * One stream to a node, which all watches there share: a stream for each would cost five times as much as the
 * watch itself.
 */
export class SharedStream {
  readonly #name: string;
  readonly #stream: WatchStream;
  /** A key that may be watched, whatever happens to it. */
  readonly #probeKey: Buffer;
  readonly #onEnd: () => void;
  readonly #watches: Map<number, Watching> = new Map();
  /** Those asked for, in their order. The node answers in the same. */
  readonly #unconfirmed: Set<number> = new Set();
  #nextId = 0;
  /** When the last message came, in monotonic ms. */
  #heard = performance.now();
  #life: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #retired = false;
  #over: RpcError | undefined;

  /**
   * Rejects with an `RpcError` if there is no connection in time. `onEnd` is told when the stream is of no
   * use any more.
   */
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

  /**
   * Resolves once the node watches. Rejects with an `RpcError` if it refuses, or does not confirm in time.
   */
  watch(request: CreateWatch, listener: StreamListener, patience: number = CONFIRM): Promise<ConfirmedWatch> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      const id = this.#nextId++;
      let settle: (error: RpcError) => void = () => undefined;
      const ended = new Promise<RpcError>((resolve) => {
        settle = resolve;
      });
      // Whoever does not confirm is frozen or cut off: nothing will come on this stream for anybody.
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
      // The node would count from 0 too, if it was left to it.
      this.#stream.write({ create_request: { ...request, watch_id: String(id) } });
    });
  }

  /** Takes no further watches. Those that it has go on. */
  retire(): void {
    this.#retired = true;
    this.#rest();
  }

  /** Ends the stream, and all watches of it with this error. */
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
    // Without a number, it is about all of them.
    else if (id < 0) this.end(reasonOf(response));
    else this.#ended(id, reasonOf(response));
  }

  #answered(id: number, response: WatchResponse): void {
    // Some versions refuse without saying which.
    const [oldest] = this.#unconfirmed;
    const asked = response.canceled && !this.#unconfirmed.has(id) ? oldest : id;
    if (asked === undefined || !this.#unconfirmed.delete(asked)) {
      this.end(new RpcError(GRPC.unknown, "the node numbers watches as it likes: it is no etcd 3.4 or later", true));
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
   * Tells a quiet stream from a dead one. A frozen node, or a cable that was cut, closes no connection, and
   * gRPC's own pings may not come more often than every five seconds. What is asked is a watch more: etcd
   * leaves a request for progress unanswered while any watch of the stream waits for a revision that is yet
   * to come, on a quiet store for ever.
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
    this.watch(request, NOBODY, SILENCE).then(
      (watch) => watch.cancel(),
      () => undefined,
    );
  }

  /** Nothing to watch over: the next watch will show whether the stream is alive. */
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
