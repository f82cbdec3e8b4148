import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import { leftWhole } from "../../scripts/lib/test-files.mjs";
import { kept, LAST, SLOW, testNamed } from "./kept.js";
import { mutantsOf } from "./operators.js";
import { allMutants, processesOf, sample, testsOf } from "./plan.js";
import { mutantOf, rowOf } from "./rows.js";
import type { Mutant } from "./types.js";

const root = join(import.meta.dirname, "../..");
const FEW = { thorough: false, all: false };

const changed = (text: string): string[] =>
  mutantsOf("a.ts", text).map(
    ({ operator, start, end, replacement }) => `${operator}: ${text.slice(0, start)}${replacement}${text.slice(end)}`,
  );

test.each([
  [
    "if (a < b) c();",
    ["negate condition: if (!(a < b)) c();", "< to <=: if (a <= b) c();", "drop statement: if (a < b) ;"],
  ],
  ["const a = b ?? c;", ["?? to its left: const a = (b);", "?? to its right: const a = (c);"]],
  [
    "const a = async () => { await a.b(); };",
    ["drop statement: const a = async () => { ; };", "drop await: const a = async () => { void a.b(); };"],
  ],
  ["f({ a, ...b });", ["drop statement: ;", "drop field: f({ ...{}, ...b });", "drop field: f({ a, ...{} });"]],
  ["type A = { b: 1 | true };", []],
])("%s", (text, all) => {
  expect(changed(text)).toEqual(all);
});

test("a sample takes from every file, and is the same for the same seed", () => {
  const of = (file: string, count: number): Mutant[] =>
    Array.from({ length: count }, (_, i) => ({
      file,
      name: `${file} ${i}`,
      operator: "",
      start: i,
      end: i,
      replacement: "",
      about: { start: i, end: i },
    }));
  const all = [...of("a", 100), ...of("b", 2), ...of("c", 30)];
  const chosen = sample(all, 12, 7);
  expect(
    chosen
      .map(({ file }) => file)
      .sort()
      .join(""),
  ).toBe("aaaaabbccccc");
  expect(sample(all, 12, 7)).toEqual(chosen);
  expect(sample(all, 1_000, 7).length).toBe(132);
  const files = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => sample(all, 1, seed)[0]?.file);
  expect(new Set(files)).toEqual(new Set(["a", "b", "c"]));
});

test("files that need a process of their own have one, and the others between them share one", () => {
  const [a, exit, b, c, whole] = ["a", "run/exit", "b", "c"]
    .map((name) => `packages/core/src/${name}.test.ts`)
    .concat("test/hold.test.ts") as [string, string, string, string, string];
  expect(processesOf([a, exit, b, c, whole])).toEqual([[a], [exit], [b, c], [whole]]);
});

test("a file that no test of its package reaches is tried by the tests of the whole product", () => {
  const tests = testsOf(root, { file: "packages/cli/src/commands/look/top/data/details.ts" }, FEW);
  expect(tests).toContain("packages/cli/src/commands/look/top/top.test.ts");
  expect(tests.filter((it) => leftWhole().includes(it))).toEqual([]);
});

describe("a row of the kept list", () => {
  const TEXT = `export const LIMIT = 3;
export class Box {
  #full = false;
  async put(a: string, b: string): Promise<void> {
    if (a === "" || this.#full) return;
    await this.#send(a);
    await this.#send(b);
    log("select " + a);
  }
}
`;
  const folder = mkdtempSync(join(tmpdir(), "ojm-rows-"));
  mkdirSync(join(folder, "packages/p/src"), { recursive: true });
  for (const file of ["a.ts", "b.ts"]) writeFileSync(join(folder, "packages/p/src", file), TEXT);
  afterAll(() => rmSync(folder, { recursive: true }));

  const mutated = (symbol: string, change: string): string[] => {
    const { start, end, replacement } = mutantOf(folder, { pack: "p", symbol, change }, "N1 a fault");
    const lines = (TEXT.slice(0, start) + replacement + TEXT.slice(end)).split("\n");
    return lines.filter((line) => !TEXT.includes(`${line}\n`)).map((line) => line.trim());
  };

  test.each([
    ["a.ts:LIMIT", "+ 1", "export const LIMIT = ((3) + 1);"],
    ["a.ts:Box.#full", "false to true", "#full = true;"],
    ["a.ts:Box.put", "drop return", 'if (a === "" || this.#full) ;'],
    ["a.ts:Box.put", "condition false", "if (false) return;"],
    ["a.ts:Box.put", "drop operand #full", 'if ((a === "")) return;'],
    ["a.ts:Box.put", "drop await b", "void this.#send(b);"],
    ["a.ts:Box.put", "drop statement #send #2", ";"],
    ["a.ts:Box.put", "select → SELECT", 'log("SELECT " + a);'],
    ["a.ts:Box.put", 'a===""||this.#full →  a === b', "if (a === b) return;"],
  ])("%s: %s", (symbol, change, line) => {
    expect(mutated(symbol, change)).toEqual([line]);
  });

  test.each([
    ["Box.gone", "drop return", "packages/p/src has no symbol Box.gone"],
    ["Box.put", "drop return", 'in packages/p/src/a.ts, packages/p/src/b.ts. Write "file.ts:Box.put"'],
    ["a.ts:Box.put", "drop statement #send", "Box.put (packages/p/src/a.ts:4) fits 2 places. Add a piece of one"],
    ["a.ts:Box.put", "drop statement read", 'fits no place with "read"'],
    ["a.ts:Box.put", "drop statement #send #3", "fits only 2 places"],
    ["a.ts:LIMIT", "drop await", "fits no place. Operators that do: to true, to false, to undefined"],
    ["a.ts:Box.put", "a →", "there 4 times"],
    ["a.ts:Box.put", "delete →", "there 0 times"],
  ])("says what to do if it cannot be made: %s: %s", (symbol, change, message) => {
    expect(() => mutated(symbol, change)).toThrow(message);
    expect(() => mutated(symbol, change)).toThrow(/^the mutant "N1 a fault" cannot .* test\/mutants\/kept\/p\.txt$/);
  });

  test("a survivor is printed as a row that means it", () => {
    for (const mutant of mutantsOf("packages/p/src/a.ts", TEXT)) {
      const [, symbol = "", change = ""] = /^(\S+): (.*)$/.exec(rowOf(mutant, TEXT)) ?? [];
      const { start, end, replacement } = mutantOf(folder, { pack: "p", symbol: `a.ts:${symbol}`, change }, "");
      expect({ start, end, replacement }, mutant.name).toEqual({
        start: mutant.start,
        end: mutant.end,
        replacement: mutant.replacement,
      });
    }
  });
});

describe("what is kept", { tags: ["full"] }, () => {
  // `npm test` must notice each fault.
  const leftOut = leftWhole();

  test.each(kept.named.map((it) => [it.name, it] as const))("can still be made: %s", (_, it) => {
    const { file, start, end, replacement } = mutantOf(root, it, it.name);
    const text = readFileSync(join(root, file), "utf8");
    // Every test would notice a program that cannot be read.
    const mutated = text.slice(0, start) + replacement + text.slice(end);
    // Not in TypeScript's types. Its public way to syntax errors takes ten times as long.
    const errors: { messageText: string }[] = Reflect.get(
      ts.createSourceFile(file, mutated, ts.ScriptTarget.ES2022),
      "parseDiagnostics",
    );
    expect(errors.map(({ messageText }) => messageText)).toEqual([]);
    for (const test of it.tests) expect(leftOut).not.toContain(testNamed(root, it.pack, test));
  });

  test("mutants that none can notice are made, but not in a sample", () => {
    const place = ({ file, operator, start }: Mutant): string => `${file} ${operator} ${start}`;
    const known = kept.equivalent.map((it) => mutantOf(root, it, it.symbol));
    const sampled = new Set(allMutants(root, [...new Set(known.map(({ file }) => file))]).map(place));
    expect(known.filter((mutant) => sampled.has(place(mutant)))).toEqual([]);
    // Only a mutant that a sample can make needs an entry.
    const made = known.flatMap(({ file }) => mutantsOf(file, readFileSync(join(root, file), "utf8"))).map(place);
    expect(known.filter((mutant) => !made.includes(place(mutant)))).toEqual([]);
  });

  test.each([...SLOW, ...LAST])("names a test that there is: %s", (file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });
});
