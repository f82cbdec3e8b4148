import { type Stats, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder for compiled code; `undefined` if there is none that only this user can write. Elsewhere, as
 * below /tmp, or in the home folder of another user after `sudo -E`, that user could prepare code for this
 * one.
 *
 * Imports nothing of ojm: what is imported before the cache is enabled is compiled at each start.
 */
export function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME: given } = process.env;
  try {
    const folders = given ? [given] : [homedir(), join(homedir(), ".cache")];
    const folder = join(folders.at(-1) ?? "", "ojm");
    const [base, ...below] = [...folders, folder].map((path) => statSync(path, { throwIfNoEntry: false }));
    // Node creates the missing ones below the first.
    return base !== undefined && [base, ...below].every(isOurs) ? folder : undefined;
  } catch {
    // A user without a home folder, as in a container.
    return undefined;
  }
}

const BY_GROUP = 0o020;
const BY_ALL = 0o002;

/** Whether only this user or root can write a folder, by the rule of `whyUntrusted` in core. */
function isOurs(stats: Stats | undefined): boolean {
  const me = process.getuid?.();
  if (me === undefined || stats === undefined) return true;
  const { uid, gid, mode } = stats;
  return (uid === me || uid === 0) && (mode & BY_ALL) === 0 && ((mode & BY_GROUP) === 0 || gid === me);
}
