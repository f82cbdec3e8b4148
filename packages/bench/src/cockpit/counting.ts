import type { Backend } from "@ojm/core/backend";

/** The work of a store: its calls, and the entries that it read or wrote. */
export interface Counts {
  calls: number;
  entries: number;
}

/** A backend that counts its work. Times are noisy beside other work, but these numbers are not. */
export function counting(backend: Backend, counts: Counts): Backend {
  return {
    supports: backend.supports,
    read: (keys, options) => {
      counts.calls++;
      counts.entries += keys.length;
      return backend.read(keys, options);
    },
    scan: async (request, options) => {
      counts.calls++;
      const page = await backend.scan(request, options);
      counts.entries += page.entries.length;
      return page;
    },
    commit: (commit, options) => {
      counts.calls++;
      counts.entries += commit.checks.length + commit.writes.length;
      return backend.commit(commit, options);
    },
    watch: (range, sink) => backend.watch(range, sink),
    close: () => backend.close(),
  };
}
