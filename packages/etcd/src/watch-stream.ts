import type { EtcdNode } from "./client.js";
import type { WatchRequest, WatchResponse, WatchStream } from "./messages.js";
import { GRPC, RpcError, rpcErrorOf } from "./rpc-error.js";

/** A stream on which nothing came for so long (ms) is asked for a sign of life, and given up when as long again none came. */
const SILENCE = 1_500;

/** How long a node may take to open a stream and to confirm a watch, in ms. */
const CONFIRM = 2_000;

/** The revision to watch from is compacted away. */
export class CompactedError extends RpcError {
  constructor(revision: string) {
    super(GRPC.unavailable, `compacted up to revision ${revision}`, true);
  }
}

/** What is told of a stream. `confirmed` comes first, and once. */
export interface StreamListener {
  confirmed(): void;
  changes(response: WatchResponse): void;
}

/** One watch on one stream. `ended` resolves with what ended it. */
export interface ConfirmedStream {
  readonly ended: Promise<RpcError>;
  cancel(): void;
}

/** Opens a stream to the node and watches. Rejects with an `RpcError` if the node does not confirm it in time. */
export async function openStream(
  node: EtcdNode,
  request: NonNullable<WatchRequest["create_request"]>,
  listener: StreamListener,
): Promise<ConfirmedStream> {
  const stream = await node.watch({ timeout: CONFIRM });
  return await new Promise((resolve, reject) => {
    let end: (error: RpcError) => void = () => undefined;
    const ended = new Promise<RpcError>((settle) => {
      end = settle;
    });
    let over = false;
    const finish = (error: RpcError): void => {
      if (over) return;
      over = true;
      clearTimeout(unconfirmed);
      life.stop();
      stream.cancel();
      reject(error);
      end(error);
    };
    const unconfirmed = setTimeout(() => finish(silent(node.name)), CONFIRM);
    const life = new SignOfLife(stream, () => finish(silent(node.name)));
    stream.on("error", (error) => finish(rpcErrorOf(error)));
    stream.on("end", () => finish(new RpcError(GRPC.unavailable, "the watch stream ended", true)));
    stream.on("data", (response) => {
      if (over) return;
      life.seen();
      if (response.canceled) return finish(reasonOf(response));
      if (!response.created) return listener.changes(response);
      clearTimeout(unconfirmed);
      listener.confirmed();
      resolve({ ended, cancel: () => finish(new RpcError(GRPC.cancelled, "the watch was ended", true)) });
    });
    stream.write({ create_request: request });
  });
}

/**
 * Tells a quiet stream from a dead one. A frozen node, or a cable that was cut, closes no connection, and gRPC's own pings
 * may not come more often than every five seconds.
 */
class SignOfLife {
  readonly #timer: NodeJS.Timeout;
  #seen = true;
  #asked = false;

  constructor(stream: WatchStream, onSilence: () => void) {
    this.#timer = setInterval(() => {
      if (this.#seen) this.#asked = false;
      else if (this.#asked) return onSilence();
      if (!this.#seen) {
        this.#asked = true;
        stream.write({ progress_request: {} });
      }
      this.#seen = false;
    }, SILENCE);
    this.#timer.unref();
  }

  seen(): void {
    this.#seen = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function silent(name: string): RpcError {
  return new RpcError(GRPC.deadlineExceeded, `the watch stream to ${name} fell silent`, true);
}

function reasonOf(response: WatchResponse): RpcError {
  if (Number(response.compact_revision) > 0) return new CompactedError(String(response.compact_revision));
  const denied = response.cancel_reason.includes("permission denied");
  return new RpcError(denied ? GRPC.permissionDenied : GRPC.unavailable, response.cancel_reason, true);
}
