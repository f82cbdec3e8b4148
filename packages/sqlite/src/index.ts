import type { BackendType } from "@ojm/core/backend";
import { OPTIONS } from "./options.js";

// Imported on first use: a program that only knows this type must not load the native addon at its start.
const implementation = (): Promise<typeof import("./backend.js")> => import("./backend.js");

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
  load: async () => (await implementation()).loadDriver(),
  open: async (args, context) => (await implementation()).openBackend(args, context),
};
