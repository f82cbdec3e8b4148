import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { checkFile } from "../inspect/check.js";
import { helpOfFile } from "../inspect/help.js";
import { corpus } from "../testing/corpus.js";
import { mutation } from "../testing/mutations.js";
import { fullValue, pathsOf, withPiece } from "../testing/values.js";
import { describe, JobFileError } from "../text/problem.js";
import { jobFileShape } from "./schema.js";
import { toYaml } from "./yaml/yaml.js";

/**
 * How many files each test reads. For a night: OJM_FUZZ=1000000 OJM_SEED=$RANDOM npm run unit --
 * packages/ojob/src/load/fuzz.test.ts
 */
const RUNS = Number(process.env["OJM_FUZZ"] ?? 1_000);
const SEED = Number(process.env["OJM_SEED"] ?? 20_260_131);
/** The share that `npm test` reads, and the share that it leaves to `npm run test:all`. */
const PARTS = [
  { title: "some", tags: [], seed: SEED, share: 0.05 },
  { title: "many", tags: ["full"], seed: SEED + 1, share: 0.95 },
];
const ALL_DAY = 24 * 3_600_000;

/**
 * Processor time, in ms: far more than any of these files takes. A file that takes longer probably never
 * ends.
 */
const HANGS = 10_000;

const folder = temporaryFolder(afterAll);
const file = join(folder, "jobs.yaml");

/**
 * Checks and describes a file of this text: it is accepted, or rejected with messages that a user can read.
 */
async function read(text: string): Promise<void> {
  writeFileSync(file, text);
  const start = process.cpuUsage();
  for (const look of [() => checkFile(file, { args: { name: "x" } }), () => helpOfFile(file)]) {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      expectReadable(error);
    }
  }
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(HANGS);
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

/** Reads files of these texts, `size` times as many as {@link RUNS} in all. */
function fuzz(what: string, texts: fc.Arbitrary<string>, size = 1): void {
  for (const { title, tags, seed, share } of PARTS)
    test(`${what} (${title})`, { timeout: ALL_DAY, tags }, () =>
      fc.assert(fc.asyncProperty(texts, read), { seed, numRuns: Math.ceil(RUNS * size * share) }),
    );
}

const spoilt = fc
  .tuple(fc.constantFrom(...corpus()), fc.array(mutation, { minLength: 1, maxLength: 6 }))
  .map(([text, mutations]) =>
    mutations.reduce<readonly string[]>((lines, mutate) => mutate(lines), text.split("\n")).join("\n"),
  );
fuzz("spoilt job files are taken, or refused with a message that a user can read", spoilt);

const place = fc
  .constantFrom(...[0, 1, 2, 3].map((choice) => fullValue(jobFileShape, choice)))
  .chain((whole) => fc.tuple(fc.constant(whole), fc.constantFrom(...pathsOf(whole))));
const replaced = fc
  .tuple(place, fc.jsonValue({ maxDepth: 4 }))
  .map(([[whole, path], value]) => toYaml(withPiece(whole, path, value)));
fuzz("job files with random values in every place are taken or refused readably", replaced, 0.2);

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
fuzz("random text of YAML's special characters is taken or refused readably", fc.string({ unit, maxLength: 200 }));
