import fc from "fast-check";

/** A change of the lines of a file. */
export type Mutation = (lines: readonly string[]) => string[];

const SNIPPETS: readonly string[] = [
  ...`*args *none &args --- ... | > |9 { } [ ] # - @ 💥 {{ }} {{name}} todo: 0o17 .nan -.inf 1e999
    99999999999999999999 null ~`.split(/\s+/),
  "\t",
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
  "'",
  '"',
  ": ",
  "- ",
  "? ",
  "`",
  "\u0000",
  "\uFEFF",
  "\u2028",
  "\u202E",
  "\uD800",
  "e\u0301",
  "\u0007",
  "\r",
  "\r\n",
  "\\",
  "${",
  "__proto__: {a: 1}",
  "constructor: 1",
  "include: [.]",
  "include: jobs.yaml",
  "include: [jobs.yaml, none.yaml]",
  "jobsInclude: oJobBasics.yaml",
  "jobs: {}",
  "todo: [[]]",
  "exec: 'await ('",
  "args: [1]",
  "timeout: 1h",
  "name: {}",
];

const LONG: readonly string[] = [
  "x".repeat(100_000),
  "[".repeat(2_000),
  "{a: ".repeat(500),
  "- ".repeat(1_000),
  `"${"\\n".repeat(5_000)}"`,
  " ".repeat(5_000),
];

const index = fc.nat({ max: 100_000 });
const snippet = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...SNIPPETS) },
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
);

/** Changes one line, by a number and a snippet. */
function onLine(
  change: (line: string, number: number, text: string, lines: readonly string[]) => readonly string[],
): fc.Arbitrary<Mutation> {
  return fc.tuple(index, index, snippet).map(([i, j, text]): Mutation => {
    return (lines) => {
      const at = i % Math.max(1, lines.length);
      return [...lines.slice(0, at), ...change(lines[at] ?? "", j, text, lines), ...lines.slice(at + 1)];
    };
  });
}

/** The parts of a line before and behind a place in it. */
function cut(line: string, number: number): [string, string] {
  const at = number % (line.length + 1);
  return [line.slice(0, at), line.slice(at)];
}

/** Changes that happen to files in editors and merges, and some that never do. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  onLine(() => []),
  onLine((line) => [line, line]),
  index.map(
    (i): Mutation =>
      (lines) =>
        lines.slice(0, 1 + (i % Math.max(1, lines.length))),
  ),
  onLine((line, number) => [" ".repeat(number % 7) + line]),
  onLine((line) => [line.replace(/^ {1,2}/, "")]),
  onLine((line) => [line.replace(/^ +/, "\t")]),
  onLine((_, number, __, lines) => [lines[number % Math.max(1, lines.length)] ?? ""]),
  onLine((line, _, text) => [line.replace(/:.*$/, `: ${text}`)]),
  onLine((line, _, text) => [`${line.match(/^ */)}${text}`, line]),
  onLine((line, number, text) => [cut(line, number).join(text)]),
  onLine((line, number) => [cut(line, number)[0] + cut(line, number)[1].slice(1)]),
);
