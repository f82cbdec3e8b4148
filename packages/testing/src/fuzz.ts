import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/*
 * Fuzzing: random inputs, and inputs that are kept because they once failed or reach odd places. The options
 * of `npm run fuzz` arrive as environment variables.
 */

/** One folder for each target, one file for each kept input. */
const CORPUS = fileURLToPath(new URL("../../../test/fuzz/corpus/", import.meta.url));

const SEED = Number(process.env["OJM_SEED"] ?? 20_260_131);
/** The number of random inputs, or how long to try them; without both, those of the target. */
const INPUTS = numberOf("OJM_FUZZ");
const MINUTES = numberOf("OJM_FUZZ_MINUTES");

const MINUTE = 60_000;
const ALL_DAY = 24 * 60 * MINUTE;

/** How long to look for a smaller input that fails, in ms. */
const SHRINK_FOR = 2 * MINUTE;

/** Processor time in ms, far more than any input takes. An input that takes longer probably never ends. */
const SLOW = 10_000;

/** How long an input may wait, in s. */
const LONGEST_WAIT = 60;

/** A part of the code under test that reads what it did not write. */
export interface FuzzTarget<T> {
  /** The name of its test file and of its folder of kept inputs. */
  readonly name: string;
  /** Random inputs. They consist of JSON, so that one can be kept. */
  readonly inputs: fc.Arbitrary<T>;
  /** Throws if anything is wrong with what the code under test does with an input. */
  readonly check: (input: T) => void | Promise<void>;
  /** How many random inputs `npm test` tries, and how many more `npm run test:all`. */
  readonly runs: { readonly some: number; readonly many: number };
}

/** An input in the corpus. */
interface Kept<T> {
  /** Why it is kept. */
  readonly why: string;
  readonly input: T;
}

/** Tests a target with its kept inputs, and then with random ones. */
export function fuzz<T>(target: FuzzTarget<T>): void {
  const { name, runs } = target;
  describe(`fuzz target ${name}`, () => {
    test.each(keptInputs(name))(`the kept input %s of the fuzz target ${name}`, async (file) => {
      const { input } = JSON.parse(readFileSync(join(CORPUS, name, file), "utf8")) as Kept<T>;
      await new Judge(target).judge(input);
    });
    if (INPUTS !== undefined || MINUTES !== undefined) {
      if (INPUTS === 0) return;
      const amount = MINUTES === undefined ? { inputs: INPUTS ?? 0 } : { minutes: MINUTES };
      test(`random inputs of the fuzz target ${name}`, { timeout: ALL_DAY }, () => search(target, SEED, amount));
      return;
    }
    test(`some random inputs of the fuzz target ${name}`, () => search(target, SEED, { inputs: runs.some }));
    test(`many random inputs of the fuzz target ${name}`, { timeout: ALL_DAY, tags: ["full"] }, () =>
      search(target, SEED + 1, { inputs: runs.many }),
    );
  });
}

/** The files of the kept inputs of a target: each has at least one, so that a wrong name is found. */
function keptInputs(name: string): string[] {
  return readdirSync(join(CORPUS, name)).filter((file) => file.endsWith(".json"));
}

type Amount = { readonly inputs: number } | { readonly minutes: number };

/** Tries random inputs. Keeps the smallest one that fails, and throws its error. */
async function search<T>(target: FuzzTarget<T>, seed: number, amount: Amount): Promise<void> {
  const judge = new Judge(target);
  let firstFailure: number | undefined;
  const property = fc.asyncProperty(target.inputs, async (input) => {
    if (firstFailure !== undefined && performance.now() > firstFailure + SHRINK_FOR) return;
    try {
      await judge.judge(input);
    } catch (error) {
      firstFailure ??= performance.now();
      throw error;
    }
  });
  const limits =
    "inputs" in amount
      ? { numRuns: amount.inputs }
      : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: amount.minutes * MINUTE };
  const details = await fc.check(property, { seed, ...limits });
  if (INPUTS !== undefined || MINUTES !== undefined)
    console.log(`${target.name}: ${details.numRuns} random inputs with seed ${seed}`);
  const [input] = details.counterexample ?? [];
  if (!details.failed || details.counterexample === null) return;
  const cause = details.errorInstance;
  const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const file = keep(target.name, { why: `seed ${seed}: ${firstLine(message)}`, input });
  throw new Error(`${message}\n\n${adviceOn(target.name, file, seed)}`, { cause });
}

/** Writes an input into the corpus. Returns the name of its file. */
function keep(name: string, kept: Kept<unknown>): string {
  const text = JSON.stringify(kept, undefined, 2);
  const id = createHash("sha1").update(JSON.stringify(kept.input)).digest("hex").slice(0, 8);
  mkdirSync(join(CORPUS, name), { recursive: true });
  writeFileSync(join(CORPUS, name, `found-${id}.json`), `${text}\n`);
  return `found-${id}.json`;
}

function adviceOn(name: string, file: string, seed: number): string {
  return (
    `The fuzz target ${name} found this with seed ${seed}. The smallest input that fails is in ` +
    `test/fuzz/corpus/${name}/${file}. To repeat it: npm run fuzz -- ${name} --runs 0`
  );
}

/** Judges inputs one by one: no error, no unhandled rejection, no endless loop. */
class Judge<T> {
  readonly #target: FuzzTarget<T>;

  constructor(target: FuzzTarget<T>) {
    this.#target = target;
  }

  async judge(input: T): Promise<void> {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    const { name, check } = this.#target;
    process.on("unhandledRejection", listen);
    const over = watchdog().begin(name, input);
    const start = process.cpuUsage();
    try {
      await settledSoon(check(input));
      expect(process.cpuUsage(start).user / 1_000, "processor time, in ms").toBeLessThan(SLOW);
      // Node reports an unhandled rejection after the microtasks of a turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (unhandled.length > 0) throw new Error("an unhandled rejection", { cause: unhandled[0] });
    } finally {
      over();
      process.off("unhandledRejection", listen);
    }
  }
}

/** Rejects if a check waits without end. Counts the seconds in which this process runs. */
async function settledSoon(checked: void | Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    let seconds = 0;
    timer = setInterval(() => {
      if (++seconds === LONGEST_WAIT) reject(new Error(`the check has not settled within ${LONGEST_WAIT} s`));
    }, 1_000);
  });
  try {
    await Promise.race([checked, late]);
  } finally {
    clearInterval(timer);
  }
}

/**
 * A thread that keeps an input which never ends, and then ends the process: in an endless loop, no other
 * code of the process runs.
 */
class Watchdog {
  readonly #worker = new Worker(new URL("./fuzz-watchdog.mjs", import.meta.url), { execArgv: [] });

  constructor() {
    this.#worker.unref();
  }

  /** Watches over an input until the returned function is called. */
  begin(name: string, input: unknown): () => void {
    const why = "it never ends";
    const text = `${JSON.stringify({ why, input }, undefined, 2)}\n`;
    this.#worker.postMessage({ file: join(CORPUS, name, "found-endless.json"), text });
    return () => this.#worker.postMessage(undefined);
  }
}

let theWatchdog: Watchdog | undefined;

function watchdog(): Watchdog {
  theWatchdog ??= new Watchdog();
  return theWatchdog;
}

function numberOf(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined ? undefined : Number(text);
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
