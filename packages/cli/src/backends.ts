import { createRequire } from "node:module";

/** The types that come with the command line. Core finds others where the user has installed them. */
const OWN: readonly string[] = ["sqlite", "db"];

/**
 * Makes a channel type known, importing only the one that is used: each costs start-up time. With
 * `published`, a type of the user, or a package of the working folder, is not found and not run.
 *
 * @throws ChannelError `UNKNOWN_TYPE`, only with `published`
 */
export async function prepareType(type: string, published = false): Promise<void> {
  if (!OWN.includes(type)) {
    if (published) await (await import("@ojm/core/internal")).findType(type, { published });
    return;
  }
  // Not imported above: the thread of the scripts would start only after all of core is read.
  const [{ registerBackend }, { backend }] = await Promise.all([import("@ojm/core"), import("@ojm/sqlite")]);
  // With its file, so that the thread that keeps the locks of a busy process can open the store, too.
  registerBackend(backend, createRequire(import.meta.url).resolve("@ojm/sqlite"));
}
