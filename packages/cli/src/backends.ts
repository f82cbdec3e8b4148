import type { BackendType } from "@ojm/core/backend";

/**
 * The backends that come with the command line. Others are found by core where the user has installed them.
 */
const own: Readonly<Record<string, () => Promise<{ readonly backend: BackendType }>>> = {
  sqlite: () => import("@ojm/sqlite"),
  db: () => import("@ojm/sqlite"),
};

/**
 * Makes a channel type known, importing only the one that is used: each costs start-up time. With
 * `published`, a type of the user, or a package of the working folder, is not found and not run.
 *
 * @throws ChannelError `UNKNOWN_TYPE`, only with `published`
 */
export async function prepareType(type: string, published = false): Promise<void> {
  const load = Object.hasOwn(own, type) ? own[type] : undefined;
  if (load === undefined) {
    if (published) await (await import("@ojm/core/backend")).findType(type, { published });
    return;
  }
  // Not imported above: the thread of the scripts would start only after all of core is read.
  const [{ registerBackend }, { backend }] = await Promise.all([import("@ojm/core"), load()]);
  registerBackend(backend);
}
