import fc from "fast-check";

/** A change of the lines of a file. */
export type Mutation = (lines: readonly string[]) => string[];

/** Characters that mean something to YAML, to templates or to a terminal, and some that are easily broken. */
const CHARACTERS = "\t|>{}[]'\"#-@`\u0000\uFEFF\u2028\u202E\uD800💥\u0007\r\\~";

const SNIPPETS: readonly string[] = [
  ...CHARACTERS,
  "*args",
  "*none",
  "&args",
  "&a [*a]",
  "<<: *args",
  "<<: 1",
  "? [a, b]\n: c",
  "!!set {a, b}",
  "!!omap [a: 1]",
  "!!binary aGk=",
  "!!int x",
  "!custom x",
  "%YAML 1.1",
  "---",
  "...",
  "|9",
  ": ",
  "- ",
  "? ",
  "e\u0301",
  "\r\n",
  "{{",
  "}}",
  "{{name}}",
  "${",
  "__proto__: {a: 1}",
  "constructor: 1",
  "include: [.]",
  "include: jobs.yaml",
  "include: [jobs.yaml, none.yaml]",
  "jobsInclude: oJobBasics.yaml",
  "todo:",
  "jobs: {}",
  "todo: [[]]",
  "exec: 'await ('",
  "args: [1]",
  "timeout: 1h",
  "name: {}",
  "0o17",
  ".nan",
  "-.inf",
  "1e999",
  "99999999999999999999",
  "null",
];

const LONG: readonly string[] = [
  "x".repeat(100_000),
  "[".repeat(2_000),
  "{a: ".repeat(500),
  "- ".repeat(1_000),
  `"${"\\n".repeat(5_000)}"`,
  " ".repeat(5_000),
];

function atLine(index: number, lines: readonly string[], change: (line: string) => readonly string[]): string[] {
  const at = index % Math.max(1, lines.length);
  return [...lines.slice(0, at), ...change(lines[at] ?? ""), ...lines.slice(at + 1)];
}

const index = fc.nat({ max: 100_000 });
const snippet = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...SNIPPETS) },
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
);

/** Changes one line. `more`: what else decides the change. */
function ofLine<T>(more: fc.Arbitrary<T>, change: (line: string, more: T) => string[]): fc.Arbitrary<Mutation> {
  return fc.tuple(index, more).map(
    ([i, value]): Mutation =>
      (lines) =>
        atLine(i, lines, (line) => change(line, value)),
  );
}

const alone = fc.constant(undefined);

/** Changes that happen to files in editors and merges, and some that never do. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  ofLine(alone, () => []),
  ofLine(alone, (line) => [line, line]),
  index.map(
    (i): Mutation =>
      (lines) =>
        lines.slice(0, 1 + (i % Math.max(1, lines.length))),
  ),
  ofLine(fc.nat({ max: 6 }), (line, by) => [" ".repeat(by) + line]),
  ofLine(alone, (line) => [line.replace(/^ {1,2}/, "")]),
  ofLine(alone, (line) => [line.replace(/^ +/, "\t")]),
  fc.tuple(index, index).map(
    ([i, j]): Mutation =>
      (lines) =>
        atLine(i, lines, () => [lines[j % Math.max(1, lines.length)] ?? ""]),
  ),
  ofLine(snippet, (line, text) => [line.replace(/:.*$/, `: ${text}`)]),
  ofLine(snippet, (line, text) => [`${line.match(/^ */)}${text}`, line]),
  ofLine(fc.tuple(index, snippet), (line, [j, text]) => {
    const at = j % (line.length + 1);
    return [line.slice(0, at) + text + line.slice(at)];
  }),
  ofLine(index, (line, j) => {
    const at = j % (line.length + 1);
    return [line.slice(0, at) + line.slice(at + 1)];
  }),
);
