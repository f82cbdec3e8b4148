import { type Ran, runText, script } from "../../../ojob/src/testing/run-file.js";

/** Runs a script in a job file that loads this package, with more jobs in YAML. */
export function run(code: string, args: Readonly<Record<string, unknown>> = {}, jobs: string = ""): Promise<Ran> {
  return runText(`ojob: { loads: ["@ojm/openaf"] }\n${script(code, jobs)}`, { args });
}

/**
 * Runs functions in a script, one after the other, and returns their results by name: a date as `date
 * 2026-01-31T00:00:00.000Z`, no value as `undefined`, and an exception as `thrown …`.
 */
export async function valuesOf(
  codes: Readonly<Record<string, string>>,
  args: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const functions = Object.entries(codes).map(([name, code]) => `${JSON.stringify(name)}: () => { ${code}\n},`);
  const script = `const codes = {\n${functions.join("\n")}\n};
const shown = (value) => value === undefined ? "undefined" : value instanceof Date ? "date " + value.toISOString()
  : value instanceof Uint8Array ? [...value] : Array.isArray(value) ? value.map(shown)
  : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)])) : value;
const results = {};
for (const [name, code] of Object.entries(codes)) {
  try { results[name] = shown(code()); } catch (e) { results[name] = "thrown " + (e instanceof Error ? e.message : e); }
}
print("RESULTS" + JSON.stringify(results));`;
  const { out, err } = await run(script, args);
  const [, json] = /^RESULTS(.*)$/m.exec(out) ?? [];
  if (json === undefined) throw new Error(`the script did not end: ${out}${err}`);
  return JSON.parse(json) as Record<string, unknown>;
}

/** The values of expressions, as {@link valuesOf} shows them. */
export async function expressions(
  given: Readonly<Record<string, unknown>>,
  args: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const codes = Object.keys(given).map((expression) => [expression, `return ${expression}`]);
  return valuesOf(Object.fromEntries(codes), args);
}
