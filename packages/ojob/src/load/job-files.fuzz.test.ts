import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { afterAll, expect } from "vitest";
import { checkFile } from "../inspect/check.js";
import { helpOfFile } from "../inspect/help.js";
import { corpus } from "../testing/corpus.js";
import { mutation } from "../testing/mutations.js";
import { fullValue, pathsOf, withPiece } from "../testing/values.js";
import { describe, JobFileError } from "../text/problem.js";
import { jobFileShape } from "./schema.js";
import { toYaml } from "./yaml/yaml.js";

const folder = temporaryFolder(afterAll);
const file = join(folder, "jobs.yaml");

/**
 * Checks and describes a file of this text: it is accepted, or rejected with messages that a user can read.
 */
async function read(text: string): Promise<void> {
  writeFileSync(file, text);
  for (const look of [() => checkFile(file, { args: { name: "x" } }), () => helpOfFile(file)]) {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      expectReadable(error);
    }
  }
}

function expectReadable({ message, problems }: JobFileError): void {
  expect(problems.length).toBeGreaterThan(0);
  expect(message).not.toMatch(/^ +at .*:\d+:\d+/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(message).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  for (const problem of problems) {
    expect(problem.message).not.toMatch(/undefined|\[object|NaN|TypeError|RangeError|Maximum call/);
    expect(describe(problem).length).toBeLessThan(2_000);
    if (problem.at === undefined) continue;
    expect(problem.at.line).toBeGreaterThan(0);
    expect(problem.at.column).toBeGreaterThan(0);
    expect(problem.at.line).toBeLessThanOrEqual(problem.at.source.text.split(/\r\n|\n|\r/).length + 1);
  }
}

/** Job files after some changes. */
const spoilt = fc
  .tuple(fc.constantFrom(...corpus()), fc.array(mutation, { minLength: 1, maxLength: 6 }))
  .map(([text, mutations]) =>
    mutations.reduce<readonly string[]>((lines, mutate) => mutate(lines), text.split("\n")).join("\n"),
  );

const place = fc
  .constantFrom(...[0, 1, 2, 3].map((choice) => fullValue(jobFileShape, choice)))
  .chain((whole) => fc.tuple(fc.constant(whole), fc.constantFrom(...pathsOf(whole))));
/** Job files with a random value in one place. */
const replaced = fc
  .tuple(place, fc.jsonValue({ maxDepth: 4 }))
  .map(([[whole, path], value]) => toYaml(withPiece(whole, path, value)));

const unit = fc.constantFrom(
  ..."\n\n\n  \t:-?[]{},&*!|>'\"%@`#~<=.0a",
  "jobs:",
  "todo:",
  "name: ",
  "\n- ",
  "\n  ",
  "<<: ",
  "&a ",
  "*a",
  "!!str ",
);
/** Text of the characters that are special in YAML. */
const special = fc.string({ unit, maxLength: 200 });

fuzz({
  name: "job-files",
  inputs: fc.oneof(
    { weight: 5, arbitrary: spoilt },
    { weight: 1, arbitrary: replaced },
    { weight: 5, arbitrary: special },
  ),
  check: read,
  runs: { some: 110, many: 2_000 },
});
