import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { isChannelError, registerBackend } from "@ojm/core";
import { rejectUnknownOptions } from "@ojm/core/backend";
import { findType } from "@ojm/core/internal";
import { isPath, type PathsOf } from "./channel-paths.js";
import type { KnownTypes } from "./check-channels.js";

/**
 * Makes a channel type known before it is opened. With strict package managers, core cannot find the backends
 * itself.
 */
export type PrepareType = (type: string) => Promise<void>;

/** Prepares the type `simple`, and passes all others to `others`. */
export function preparing(others?: PrepareType): PrepareType {
  return async (type) => {
    if (type === "simple") registerBackend((await import("@ojm/simple")).backend);
    else await others?.(type);
  };
}

/** Asks the types themselves. */
export function askingTypes(prepare: PrepareType): PathsOf {
  return async (type) => {
    try {
      await prepare(type);
      return (await findType(type)).paths ?? [];
    } catch {
      return [];
    }
  };
}

/** Asks no type of the user's own: that would run its module. */
function askingOurTypes(prepare: PrepareType): PathsOf {
  const ask = askingTypes(prepare);
  return async (type) => (isPath(type) ? [] : ask(type));
}

/**
 * Lets core find channel types on this machine, and opens none. `why` gives core's own message if it cannot.
 */
export function findingTypes(prepare: PrepareType): KnownTypes {
  const why = async (type: string): Promise<string | undefined> => {
    // A check runs nothing, so the user's own file is not imported. Core reports a missing one below.
    if (isAbsolute(type) && existsSync(type)) return undefined;
    try {
      await prepare(type);
      await findType(type);
    } catch (error) {
      if (!isChannelError(error)) throw error;
      if (error.code === "UNKNOWN_TYPE" || error.code === "FAILED") return error.message;
    }
    return undefined;
  };
  const wrongOption = async (type: string, option: string): Promise<string | undefined> => {
    if (isPath(type)) return undefined;
    try {
      await prepare(type);
      const { options } = await findType(type);
      if (options !== undefined) rejectUnknownOptions(type, { [option]: true }, options);
    } catch (error) {
      // Why a type cannot be found is told already.
      if (!isChannelError(error)) throw error;
      if (error.code === "INVALID_CONFIG") return error.message;
    }
    return undefined;
  };
  return { why, wrongOption, pathsOf: askingOurTypes(prepare) };
}
