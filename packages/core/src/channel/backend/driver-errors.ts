import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { ChannelError, isChannelError } from "../errors.js";
import type { Backend } from "./backend.js";

/**
 * Wraps a backend so that each of its errors is a {@link ChannelError}: an unexpected error of its driver
 * becomes the `cause` of a `FAILED`. A heartbeat continues after a `ChannelError`; any other error would end
 * the process because of a driver's bug.
 *
 * Commits are not wrapped here, because one more async step would slow down every run. The channel translates
 * the errors of its commits itself.
 */
export function withChannelErrors(backend: Backend): Backend {
  const join = backend.commitIn?.bind(backend);
  return {
    supports: backend.supports,
    read: (keys, options) => translated(() => backend.read(keys, options), "not-applied"),
    scan: (request, options) => translated(() => backend.scan(request, options), "not-applied"),
    commit: (commit, options) => backend.commit(commit, options),
    ...(join && { commitIn: (...args) => translated(() => join(...args), "not-applied") }),
    watch: (range, sink) =>
      translated(
        () =>
          backend.watch(range, {
            change: (change) => sink.change(change),
            gap: () => sink.gap(),
            fail: (error) => sink.fail(channelErrorOf(error, "not-applied")),
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
    throw channelErrorOf(error, outcome);
  }
}

/** An error of a backend as a {@link ChannelError}. */
export function channelErrorOf(error: unknown, outcome: "not-applied" | "unknown"): ChannelError {
  if (isChannelError(error)) return error;
  const unbuilt = notBuilt(error);
  if (unbuilt !== undefined) return new ChannelError("UNKNOWN_TYPE", unbuilt, { cause: error });
  const missing = missingPackage(error);
  if (missing !== undefined) {
    const text = `the package "${missing}" of the backend is not installed: npm install ${missing}`;
    return new ChannelError("UNKNOWN_TYPE", text, { cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new ChannelError("FAILED", `the backend failed: ${why}`, { cause: error, outcome });
}

/** The package that an import did not find: the driver of a backend may not be installed. */
function missingPackage(error: unknown): string | undefined {
  return /^(?:@[\w.-]+\/)?[\w-][\w.-]*/.exec(missingModule(error) ?? "")?.[0];
}

/** The module that an import did not find: a file, or a package. */
function missingModule(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return undefined;
  return /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1];
}

/** The message for an import of a package of ojm that is not built in a clone; `undefined` otherwise. */
export function notBuilt(error: unknown): string | undefined {
  const [, linked] = /^(.+)[\\/]dist[\\/]/.exec(missingModule(error) ?? "") ?? [];
  if (linked === undefined) return undefined;
  try {
    const folder = realpathSync(linked);
    const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly name?: unknown };
    // A build does not fix an installed package that lacks its files.
    if (!String(name).startsWith("@ojm/") || /[\\/]node_modules[\\/]/.test(folder)) return undefined;
    return `the package ${name} is not built: run npm run build in ${dirname(dirname(folder))}`;
  } catch {
    return undefined;
  }
}
