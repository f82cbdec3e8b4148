import type { EtcdNode } from "../calls/client.js";
import type { CreateWatch } from "../calls/messages.js";
import { GRPC, RpcError } from "../errors.js";
import { type ConfirmedWatch, SharedStream, type StreamListener } from "./shared-stream.js";

/** The watch streams of a backend: one for each node that has watches. */
export class WatchStreams {
  readonly #probeKey: Buffer;
  readonly #streams: Map<EtcdNode, Promise<SharedStream>> = new Map();

  /** @param probeKey a key that may be watched, to check whether a node is alive */
  constructor(probeKey: Buffer) {
    this.#probeKey = probeKey;
  }

  /** Whether there is a stream to this node, as far as this process knows. */
  has(node: EtcdNode): boolean {
    return this.#streams.has(node);
  }

  async watch(node: EtcdNode, request: CreateWatch, listener: StreamListener): Promise<ConfirmedWatch> {
    const opening = this.#streams.get(node) ?? this.#open(node);
    const stream = await opening;
    try {
      return await stream.watch(request, listener);
    } catch (error) {
      // A stream keeps its sign-in, which may have expired: make the next attempt on a new stream.
      this.#forget(node, opening);
      stream.retire();
      throw error;
    }
  }

  close(): void {
    const closed = new RpcError(GRPC.cancelled, "the backend is closed", true);
    for (const opening of this.#streams.values()) {
      opening.then(
        (stream) => stream.end(closed),
        () => undefined,
      );
    }
  }

  #open(node: EtcdNode): Promise<SharedStream> {
    const forget = (): void => this.#forget(node, opening);
    const opening = SharedStream.open(node, this.#probeKey, forget);
    opening.catch(forget);
    this.#streams.set(node, opening);
    return opening;
  }

  #forget(node: EtcdNode, opening: Promise<SharedStream>): void {
    if (this.#streams.get(node) === opening) this.#streams.delete(node);
  }
}
