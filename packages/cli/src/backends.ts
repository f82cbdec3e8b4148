import { createRequire } from "node:module";

/** The types that come with the command line. Core finds others where the user installed them. */
const OWN: readonly string[] = ["sqlite", "db"];

/**
 * Registers a channel type, importing only the one that is used: each costs start-up time. With `published`,
 * a type of the user, or a package of the working directory, is neither found nor run.
 *
 * @throws ChannelError `UNKNOWN_TYPE`, only with `published`
 */
export async function prepareType(type: string, published = false): Promise<void> {
  if (!OWN.includes(type)) {
    if (published) await (await import("@ojm/core/internal")).findType(type, { published });
    return;
  }
  // A static import would load all of core before the script thread could start.
  const [{ registerBackend }, { backend }] = await Promise.all([import("@ojm/core"), import("@ojm/sqlite")]);
  // The path lets the thread that keeps the locks of a busy process open the store, too.
  registerBackend(backend, createRequire(import.meta.url).resolve("@ojm/sqlite"));
}
