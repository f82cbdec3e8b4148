import type { Backend } from "@ojm/core/backend";

/**
 * Clients for a store that a process can open only once, as `@ojm/core` shares it among the channels of a
 * process: all are users of one backend, which closes with the last of them.
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
 * A backend of its own as far as watches and closing go: closing it ends its watches and leaves the others
 * alone.
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
