import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { isChannelError, registerBackend } from "@ojm/core";
import { findType } from "@ojm/core/backend";
import type { WhyNoType } from "../plan/channels.js";

/** Makes a channel type known before it is opened: with strict package managers core does not see the backends. */
export type PrepareType = (type: string) => Promise<void>;

/** Prepares the type that this package brings along, and leaves the others to `others`. */
export function preparing(others?: PrepareType): PrepareType {
  return async (type) => {
    if (type === "simple") registerBackend((await import("@ojm/simple")).backend);
    else await others?.(type);
  };
}

/** Tells by core itself, in its words, whether it finds a channel type on this machine. */
export function findingTypes(prepare: PrepareType): WhyNoType {
  return async (type) => {
    // The user's own file is not run before its time: a check runs nothing. One that is not there is told of below.
    if ((type.startsWith(".") || isAbsolute(type)) && existsSync(resolve(type))) return undefined;
    try {
      await prepare(type);
      await findType(type);
    } catch (error) {
      if (!isChannelError(error)) throw error;
      if (error.code === "UNKNOWN_TYPE" || error.code === "FAILED") return error.message;
    }
    return undefined;
  };
}
