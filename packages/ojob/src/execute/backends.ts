import { registerBackend } from "@ojm/core";

/** Makes a channel type known before it is opened: with strict package managers core does not see the backends. */
export type PrepareType = (type: string) => Promise<void>;

/** Prepares the type that this package brings along, and leaves the others to `others`. */
export function preparing(others?: PrepareType): PrepareType {
  return async (type) => {
    if (type === "simple") registerBackend((await import("@ojm/simple")).backend);
    else await others?.(type);
  };
}
