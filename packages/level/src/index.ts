import {
  type Backend,
  type BackendContext,
  type BackendType,
  ChannelError,
  type CommitOutcome,
  rejectUnknownOptions,
  type Supports,
} from "@ojm/core/backend";
import { type Folder, openFolder } from "./folders.js";

const OPTIONS: readonly string[] = ["path"];

const supports: Supports = Object.freeze({
  shared: "process",
  durability: "host",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 100_000,
  maxKeyBytes: 65_536,
  maxValueBytes: 67_108_864,
});

/**
 * The type `level`: channels in a LevelDB folder, for one process. All channels of a folder share one
 * database.
 *
 * A commit resolves after a sync to the disk, so it survives a power cut of the host.
 *
 * `open` rejects with `IN_USE` if another process has the folder open; `INVALID_CONFIG` if `path` is missing
 * or is not a folder; `CORRUPT`, `DENIED`, `READ_ONLY` or `FULL` for a fault of the folder or its disk.
 *
 * @example const channel = await openChannel("locks", { type: "level", args: { path: "./data/ojm" } });
 */
export const backend: BackendType = {
  type: "level",
  paths: OPTIONS,
  options: OPTIONS,
  async open(args: Readonly<Record<string, unknown>>, { clock }: BackendContext): Promise<Backend> {
    rejectUnknownOptions("level", args, OPTIONS);
    const { path } = args;
    if (typeof path !== "string" || path === "") {
      throw new ChannelError(
        "INVALID_CONFIG",
        'channel type "level" needs the option "path": the folder of its database',
      );
    }
    return attach(await openFolder(path, clock));
  },
};

function attach({ store, queue, release }: Folder & { release(): Promise<void> }): Backend {
  const stops = new Set<() => void>();
  let closed = false;
  const whileOpen = (): void => {
    if (closed) throw new ChannelError("CLOSED", "the level backend is closed");
  };
  return {
    supports,
    async read(keys) {
      whileOpen();
      const entries = await store.read(keys);
      queue.wake();
      return entries;
    },
    async scan(request) {
      whileOpen();
      const page = await store.scan(request);
      queue.wake();
      return page;
    },
    async commit(commit, options): Promise<CommitOutcome> {
      whileOpen();
      if (commit.checks.length + commit.writes.length > supports.maxOps) {
        throw new ChannelError("TOO_LARGE", `a commit may hold ${supports.maxOps} checks and writes`);
      }
      return await queue.add(commit, options);
    },
    async watch(range, sink) {
      whileOpen();
      const stop = store.watch(range, sink);
      stops.add(stop);
      return () => {
        stop();
        stops.delete(stop);
      };
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const stop of stops) stop();
      await release();
    },
  };
}
