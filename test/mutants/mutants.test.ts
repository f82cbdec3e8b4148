import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kept } from "./kept/index.js";
import { mutantsOf } from "./operators.js";
import { allMutants, fromNamed, isMeant, sample } from "./plan.js";
import type { Mutant } from "./types.js";

const root = join(import.meta.dirname, "../..");

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
});

describe("what is kept", () => {
  test.each(kept.named.map((it) => [it.name, it] as const))("can still be made: %s", (_, it) => {
    expect(fromNamed(root, it).end).toBeGreaterThan(0);
    for (const test of it.tests ?? []) expect(existsSync(join(root, test)), test).toBe(true);
  });

  test.each(kept.equivalent.map((it) => [`${it.file} ${it.operator} ${it.text}`, it] as const))(
    "means a mutant that there is: %s",
    (_, it) => {
      const text = readFileSync(join(root, it.file), "utf8");
      expect(mutantsOf(it.file, text).filter((mutant) => isMeant(it, mutant, text)).length).toBeGreaterThan(0);
      expect(allMutants(root, [it.file]).some((mutant) => isMeant(it, mutant, text))).toBe(false);
    },
  );

  test.each([...kept.slow, ...kept.last])("names a test that there is: %s", (file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });
});
