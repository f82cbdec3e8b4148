/** A layer of a call inside grpc-js, from the stream of the caller down to that of HTTP/2. */
interface Layer {
  readonly call?: Layer;
  readonly child?: Layer;
  readonly underlyingCalls?: readonly Layer[];
  readonly http2Stream?: { readonly session?: { unref(): void } };
}

/** There are six layers in grpc-js 1.14. */
const MOST_LAYERS = 12;

/**
 * Lets the process end while this stream is open. Call it once the stream has its connection.
 *
 * gRPC has no option for it: it keeps the process alive while a connection carries any call. So a process
 * that forgot to end a run, and watches its lock, would never end. The other calls to etcd have timers of
 * their own, which keep the process alive until they are answered.
 *
 * gRPC calls `ref()` on a connection when the first call begins on it. It does not do so again while the
 * stream is open, so one `unref()` is enough.
 */
export function unrefStream(stream: object): void {
  let layer: Layer | undefined = stream as Layer;
  for (let depth = 0; layer !== undefined && depth < MOST_LAYERS; depth++) {
    if (layer.http2Stream !== undefined) {
      layer.http2Stream.session?.unref();
      return;
    }
    layer = layer.underlyingCalls?.at(-1) ?? layer.child ?? layer.call;
  }
}
