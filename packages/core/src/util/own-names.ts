/*
 * Names that begin with "ojm " are those of runs that ojm makes for itself. Lists leave these out unless they
 * are asked for by name, so nobody else may have such a name: its failures would be hidden.
 */

const PREFIX = "ojm ";

const OWN: ReadonlySet<string> = new Set(["ojm alerts"]);

/**
 * Whether a name is of a run that ojm makes for itself, as `ojm alerts` does each time it has something to
 * send.
 */
export function isOwn(name: string): boolean {
  return OWN.has(name);
}

/** Why a job cannot have this name; `undefined` if it can. */
export function ownNameProblem(name: string): string | undefined {
  if (!name.startsWith(PREFIX) || isOwn(name)) return undefined;
  return `a name that begins with "${PREFIX}" is for runs that ojm makes for itself: choose another one`;
}
