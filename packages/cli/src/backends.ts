import { registerBackend } from "@ojm/core";
import type { BackendType } from "@ojm/core/backend";

/**
 * The backends that come with the command line. Others are found by core where the user has installed them.
 */
const own: Readonly<Record<string, () => Promise<{ readonly backend: BackendType }>>> = {
  sqlite: () => import("@ojm/sqlite"),
  db: () => import("@ojm/sqlite"),
};

/** Makes a channel type known, importing only the one that is used: each costs start-up time. */
export async function prepareType(type: string): Promise<void> {
  const load = Object.hasOwn(own, type) ? own[type] : undefined;
  if (load !== undefined) registerBackend((await load()).backend);
}
