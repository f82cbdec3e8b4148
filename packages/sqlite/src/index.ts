import type { BackendType } from "@ojm/core/backend";

/**
 * Channels in one SQLite file, shared by any number of processes of one host.
 *
 * `args`: `file` (required) and `durability`, `"process"` (the default) or `"host"`.
 */
export const backend: BackendType = {
  type: "sqlite",
  aliases: ["db"],
  async open(args, context) {
    // Loaded on first use: a program that only knows of this type should not pay for the native addon at its start.
    const { openBackend } = await import("./open.js");
    return openBackend(args, context);
  },
};
