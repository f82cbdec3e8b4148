import type { Backend } from "@ojm/core/backend";

/**
 * Makes clients for a store that a process can open only once. All clients share one backend, as the channels
 * of a process do in `@ojm/core`. The backend closes with the last client.
 *
 * @example
 * const client = oneClient(() => backend.open({ path }, { clock: systemClock }));
 * return { client, close: () => rm(path, { recursive: true }) };
 */
export function oneClient(open: () => Promise<Backend>): () => Promise<Backend> {
  let shared: Promise<Backend> | undefined;
  let users = 0;
  return async () => {
    users++;
    shared ??= open();
    const backend = await shared;
    return userOf(backend, async () => {
      if (--users > 0) return;
      shared = undefined;
      await backend.close();
    });
  };
}

/**
 * A view of `backend` with its own watches and its own `close()`. Closing it ends its watches and leaves the
 * other users alone.
 */
function userOf(backend: Backend, leave: () => Promise<void>): Backend {
  const stops = new Set<() => void>();
  return {
    supports: backend.supports,
    read: (keys, options) => backend.read(keys, options),
    scan: (request, options) => backend.scan(request, options),
    commit: (commit, options) => backend.commit(commit, options),
    async watch(range, sink) {
      const stop = await backend.watch(range, sink);
      stops.add(stop);
      return () => {
        stop();
        stops.delete(stop);
      };
    },
    async close() {
      for (const stop of stops) stop();
      stops.clear();
      await leave();
    },
  };
}
