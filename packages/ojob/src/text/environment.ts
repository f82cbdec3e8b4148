export type Variables = Readonly<Record<string, string | undefined>>;

/** A pattern for names of variables that every shell can read. */
export const VARIABLE_NAME = "^[A-Za-z_][A-Za-z0-9_]*$";

export function isVariableName(name: string): boolean {
  return new RegExp(VARIABLE_NAME).test(name);
}

export function notVariableName(name: string): string {
  return `"${name}" cannot be the name of a variable: it takes letters, digits and _, and no digit first.`;
}

/** The value of a variable. Only own fields count: a map also inherits `constructor`, for example. */
export function variableOf(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}
