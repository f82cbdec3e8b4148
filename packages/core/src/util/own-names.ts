/*
 * Names that begin with "ojm " belong to runs that ojm makes for itself. Lists leave these out unless a
 * caller asks for them by name, so no other job may have such a name: its failures would be hidden.
 */

const PREFIX = "ojm ";

/** Whether a name belongs to a run that ojm makes for itself, as `ojm alerts` does to send something. */
export function isOwn(name: string): boolean {
  return name === "ojm alerts";
}

/** Why a job cannot have this name; `undefined` if it can. */
export function ownNameProblem(name: string): string | undefined {
  if (!name.startsWith(PREFIX) || isOwn(name)) return undefined;
  return `a name that begins with "${PREFIX}" is for runs that ojm makes for itself: choose another one`;
}
