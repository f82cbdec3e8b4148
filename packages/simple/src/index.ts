import { type Backend, type BackendType, type Clock, rejectUnknownOptions, type Supports } from "@ojm/core/backend";
import { Memory } from "./memory.js";

const supports: Supports = Object.freeze({
  shared: "process",
  durability: "none",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 100_000,
  maxKeyBytes: 1_048_576,
  maxValueBytes: 268_435_456,
});

/** One memory per clock. A simulation has its own memory; all other channels of the process share one. */
const memories: WeakMap<Clock, Memory> = new WeakMap();

/**
 * The type `simple`, the default: channels in the memory of the process. It has no options.
 *
 * Channels of one name see the same entries. The entries live as long as the process, even while no channel
 * is open. Other processes do not see them.
 *
 * @example const channel = await openChannel("locks", { type: "simple" });
 */
export const backend: BackendType = {
  type: "simple",
  options: [],
  async open(args, { clock }) {
    rejectUnknownOptions("simple", args, []);
    const memory = memories.get(clock) ?? new Memory(clock);
    memories.set(clock, memory);
    return attach(memory);
  },
};

function attach(memory: Memory): Backend {
  const stops = new Set<() => void>();
  return {
    supports,
    read: async (keys) => keys.map((key) => memory.get(key)),
    scan: async (request) => memory.scan(request),
    commit: async (commit) => memory.commit(commit),
    async watch(range, sink) {
      const stop = memory.watch(range, sink);
      stops.add(stop);
      return () => {
        stop();
        stops.delete(stop);
      };
    },
    async close() {
      for (const stop of stops) stop();
      stops.clear();
    },
  };
}
