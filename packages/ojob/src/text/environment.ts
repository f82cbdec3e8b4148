/** Variables of the environment, by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What a variable may be called, so that every shell can read it: a pattern. */
export const VARIABLE_NAME = "^[A-Za-z_][A-Za-z0-9_]*$";

/** Whether a variable may have this name. */
export function isVariableName(name: string): boolean {
  return new RegExp(VARIABLE_NAME).test(name);
}

/** What is said of a name that no variable can have. */
export function notVariableName(name: string): string {
  return `"${name}" cannot be the name of a variable: it takes letters, digits and _, and no digit first.`;
}

/** The value of a variable. A map that holds variables has other things too, as `constructor`. */
export function variableOf(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}
