import type { BackendType } from "@ojm/core/backend";
import { OPTIONS } from "./options.js";

/**
 * The type `sqlite`, alias `db`: channels in one SQLite file, shared by any number of processes of one host.
 *
 * `args`: `file` (required), and `durability`: `"process"` (the default) or `"host"`.
 *
 * @example
 * const channel = await openChannel("locks", { type: "sqlite", args: { file: "./data/ojm.db" } });
 */
export const backend: BackendType = {
  type: "sqlite",
  aliases: ["db"],
  paths: ["file"],
  options: OPTIONS,
  async open(args, context) {
    // Import it on first use: a program that only knows this type must not load the native addon.
    const { openBackend } = await import("./backend.js");
    return openBackend(args, context);
  },
};
