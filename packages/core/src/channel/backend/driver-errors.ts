import { ChannelError, isChannelError } from "../errors.js";
import type { Backend } from "./backend.js";

/**
 * Wraps a backend so that each of its errors is a {@link ChannelError}: an unexpected error of its driver
 * becomes the `cause` of a `FAILED`. A heartbeat goes on after a `ChannelError`; any other error would end
 * the process for a bug of a driver.
 */
export function withChannelErrors(backend: Backend): Backend {
  return {
    supports: backend.supports,
    read: (keys, options) => translated(() => backend.read(keys, options), "not-applied"),
    scan: (request, options) => translated(() => backend.scan(request, options), "not-applied"),
    commit: (commit, options) => translated(() => backend.commit(commit, options), "unknown"),
    watch: (range, sink) =>
      translated(
        () =>
          backend.watch(range, {
            change: (change) => sink.change(change),
            gap: () => sink.gap(),
            fail: (error) => sink.fail(translate(error, "not-applied")),
          }),
        "not-applied",
      ),
    close: () => translated(() => backend.close(), "not-applied"),
  };
}

async function translated<T>(call: () => Promise<T>, outcome: "not-applied" | "unknown"): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translate(error, outcome);
  }
}

function translate(error: unknown, outcome: "not-applied" | "unknown"): ChannelError {
  if (isChannelError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ChannelError("FAILED", `the backend failed: ${why}`, { cause: error, outcome });
}
