/**
 * The last line of a shell script that names variables to hand back, as in OpenAF: `# return a, b`. A
 * comment like that further up is one like any other.
 */
const RETURN = /(?:^|\s)#[^\S\n]+return ([^\n]+?)\s*$/;

/** A name that follows `# return`, and where it stands: characters from the start of the script. */
export interface ReturnedName {
  readonly name: string;
  readonly offset: number;
}

/** The names of the variables that a shell script hands back. */
export function returnedNames(code: string): ReturnedName[] {
  const found = RETURN.exec(code);
  if (found === null) return [];
  const [, list = ""] = found;
  const start = found.index + found[0].lastIndexOf(list);
  let offset = start;
  return list.split(",").map((part) => {
    const name = { name: part.trim(), offset: offset + (part.length - part.trimStart().length) };
    offset += part.length + 1;
    return name;
  });
}

/** The script with a last line that writes the variables to file descriptor 4, each with a zero behind it. */
export function withReturn(code: string): string {
  const values = returnedNames(code).map(({ name }) => `"\${${name}}"`);
  if (values.length === 0) return code;
  // The zero cannot be in a value, whereas any quote can.
  return code.replace(RETURN, () => `\nprintf '%s\\000' ${values.join(" ")} >&4`);
}

/** The values that a script has handed back, by name. `undefined` if it did not get that far. */
export function returnedValues(code: string, written: string): Record<string, string> | undefined {
  const names = returnedNames(code);
  const values = written.split("\0");
  if (names.length === 0 || values.length <= names.length) return undefined;
  return Object.fromEntries(names.map(({ name }, index) => [name, values[index] ?? ""]));
}
