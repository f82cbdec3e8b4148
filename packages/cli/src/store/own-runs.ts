/**
 * Whether a name is of a run that ojm makes for itself, as `ojm alerts` does each time that something is to
 * be told. Lists leave these out unless they are asked for by name: they would hide what matters.
 */
export function isOwn(name: string): boolean {
  return name.startsWith("ojm ");
}
