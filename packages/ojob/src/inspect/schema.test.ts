import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../load/check.js";
import { jobFileShape } from "../load/schema.js";
import { type Node, toValue } from "../load/yaml/node.js";
import { parseYaml } from "../load/yaml/parse.js";
import { SHORTCUTS } from "../shortcuts/table.js";
import { EXAMPLES, exampleNames } from "../testing/corpus.js";
import { GUIDE, guideBlocks, NO_GUIDE } from "../testing/guide.js";
import {
  fullShortcut,
  fullValue,
  KINDS,
  nodeOf,
  pathsOf,
  pieceAt,
  surroundings,
  withoutPiece,
  withPiece,
} from "../testing/values.js";
import { Problems, SourceFile } from "../text/problem.js";
import { schemaOfJobFiles } from "./schema.js";

// The first error is enough for a verdict: finding all errors takes three times as long.
const validate = new Ajv({ allowUnionTypes: true, strict: true, strictRequired: false }).compile(schemaOfJobFiles());

interface Verdicts {
  readonly loader: readonly string[];
  readonly schema: readonly string[];
}

/** The errors that the loader and the schema report for the shape of a file. */
function verdicts(node: Node, value = toValue(node)): Verdicts {
  const problems = new Problems();
  check(node, jobFileShape, "a.yaml", problems);
  const messages = problems.list.map(({ message }) => message);
  validate(value);
  return {
    loader: messages,
    schema: (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`),
  };
}

function ofText(text: string): Verdicts {
  const root = parseYaml(new SourceFile("a.yaml", "a.yaml", text), new Problems());
  return verdicts(root ?? expect.fail("empty"));
}

function expectSame({ loader, schema }: Verdicts, what: () => string): void {
  if (loader.length > 0 === schema.length > 0) return;
  expect.fail(`loader: ${JSON.stringify(loader)}\nschema: ${JSON.stringify(schema)}\n${what()}`);
}

function expectSameOfValue(value: unknown): void {
  expectSame(verdicts(nodeOf(value), value), () => JSON.stringify(value));
}

// Six values cover all three shapes that a place may have, in lists too.
const wholes = [0, 1, 2, 3, 4, 5].map((choice) => fullValue(jobFileShape, choice));

test("job-file.schema.json is up to date (after a change: npx vitest run packages/ojob/src/inspect --update)", async () => {
  const text = `${JSON.stringify(schemaOfJobFiles(), undefined, 1)}\n`;
  await expect(text).toMatchFileSnapshot("../../job-file.schema.json");
});

test("no large piece stands in job-file.schema.json twice: it is a definition, to which its places refer", () => {
  const seen = new Set<string>();
  const twice: string[] = [];
  JSON.stringify(schemaOfJobFiles(), (_, piece: unknown) => {
    const text = JSON.stringify(piece);
    if (text.length > 300 && seen.has(text)) twice.push(text);
    seen.add(text);
    return piece;
  });
  expect(twice).toEqual([]);
});

describe("files that the schema of job files takes", () => {
  test.each(wholes.map((whole, choice) => [choice, whole]))("the schema takes every key of a file (%i)", (_, whole) => {
    expect(verdicts(nodeOf(whole))).toMatchObject({ loader: [], schema: [] });
  });

  test.each(exampleNames())("the schema takes the example %s", (name) => {
    expect(ofText(readFileSync(join(EXAMPLES, name), "utf8"))).toMatchObject({ loader: [], schema: [] });
  });

  if (GUIDE === undefined) test.skip(`the schema takes the blocks of the guide: ${NO_GUIDE}`, () => undefined);
  test.each(guideBlocks().filter(({ text }) => /^jobs:/m.test(text)))(
    "the schema takes the block in line $line of the guide",
    ({ text }) => {
      expect(ofText(text)).toMatchObject({ loader: [], schema: [] });
    },
  );
});

describe("shortcuts", () => {
  const inPlaces = (item: unknown): unknown[] => [
    { todo: [item], jobs: [{ name: "a" }] },
    // biome-ignore lint/suspicious/noThenProperty: it is the name of a key, and no function
    { todo: ["a"], jobs: [{ name: "a", from: [item], then: item }] },
    { todo: [{ "(if": "x", "((then": [item] }], jobs: [{ name: "a" }] },
  ];

  // Its jobs are texts, then maps.
  const itemsOf = (name: string): unknown[] => [fullShortcut(name), fullShortcut(name, 4)];

  test.each(Object.keys(SHORTCUTS))("the schema and the loader take (%s) with all of its options", (name) => {
    for (const item of itemsOf(name)) {
      for (const whole of inPlaces(item)) {
        expect(verdicts(nodeOf(whole), whole)).toMatchObject({ loader: [], schema: [] });
      }
    }
  });

  test.each(Object.keys(SHORTCUTS))(
    "the schema and the loader agree on every piece of (%s)",
    { tags: ["full"] },
    (name) => {
      for (const item of itemsOf(name)) {
        for (const path of pathsOf(item)) {
          if (path.length === 0) continue;
          const changed = [...KINDS.map((kind) => withPiece(item, path, kind)), withoutPiece(item, path)];
          for (const one of changed) for (const whole of inPlaces(one)) expectSameOfValue(whole);
        }
      }
    },
  );

  test.each([
    ["aligned", { "(pass     )": { a: 1 } }, true],
    ["without a bracket", { "(log": "x", "((level": "warn" }, true],
    ["of a job of the file", { "(mine)": [1], "((any))": {} }, true],
    ["with an unknown option", { "(log)": "x", "((lvl))": "warn" }, false],
    ["with an unknown key", { "(log)": "x", typeArgs: {} }, false],
    ["an option alone", { "((level))": "warn" }, false],
    ["two in one", { "(log)": "x", "(pass)": {} }, false],
    ["one that ojm lacks", { "(llm )": "x" }, false],
  ])("the schema and the loader judge the same of a shortcut: %s", (_, item, isRight) => {
    for (const whole of inPlaces(item)) {
      const { loader, schema } = verdicts(nodeOf(whole), whole);
      expect({ loader: loader.length === 0, schema: schema.length === 0 }).toEqual({
        loader: isRight,
        schema: isRight,
      });
    }
  });
});

describe("the schema and the loader refuse the same files", () => {
  test("schema and loader agree on every kind of value in every place, and on every piece taken away", {
    tags: ["full"],
  }, () => {
    const seen = new Set<string>();
    for (const whole of wholes) {
      for (const path of pathsOf(whole)) {
        // An empty file is rejected before its shape is checked.
        if (path.length === 0) continue;
        const { value, path: place } = surroundings(whole, path);
        const text = JSON.stringify([value, place]);
        if (seen.has(text)) continue;
        seen.add(text);
        // Only in a valid file do the verdicts depend on the piece.
        expect(verdicts(nodeOf(value), value), text).toEqual({ loader: [], schema: [] });
        for (const kind of KINDS) expectSameOfValue(withPiece(value, place, kind));
        expectSameOfValue(withoutPiece(value, place));
      }
    }
  });

  test("schema and loader agree on the fragments of the guide", () => {
    for (const { text } of guideBlocks()) expectSame(ofText(text), () => text);
  });

  test("schema and loader agree on pieces that have moved, and on keys that were renamed", { tags: ["full"] }, () => {
    const wholeAt = fc.tuple(fc.constantFrom(...wholes), fc.nat());
    fc.assert(
      fc.property(wholeAt, wholeAt, fc.string({ maxLength: 12 }), ([whole, at], [other, otherAt], key) => {
        const paths = pathsOf(whole).slice(1);
        const to = paths[at % paths.length] ?? [];
        const pieces = pathsOf(other);
        const piece = pieceAt(other, pieces[otherAt % pieces.length] ?? []);
        expectSameOfValue(withPiece(whole, to, piece));
        expectSameOfValue(withPiece(whole, to, { [key]: piece }));
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
