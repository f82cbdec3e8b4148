import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

/*
 * Replaces vitest for tests on mutants: a process that starts at once, runs the tests one by one, and ends at
 * the first failure. `expect` is vitest's own.
 */

type Body = (...args: never[]) => unknown;
type Hook = "beforeAll" | "beforeEach" | "afterEach" | "afterAll";

interface Test {
  readonly name: string;
  readonly body: () => unknown;
}

interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly hooks: Record<Hook, (() => unknown)[]>;
  readonly parts: (Suite | Test)[];
}

/** The outcome of the tests, in the form that is written for the parent process. */
export interface Outcome {
  readonly passed: number;
  /** The processor time, in ms. */
  readonly cpu: number;
  /** The longest that one test waited for something, in ms. */
  readonly idle: number;
  /** The first test that failed. */
  readonly failed?: string;
  /** The file of that test. */
  readonly file?: string | undefined;
  /** It did not fail, but waits for something that never comes. */
  readonly stuck?: boolean;
}

function suiteOf(name: string, parent?: Suite): Suite {
  return { name, parent, hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] }, parts: [] };
}

let current: Suite = suiteOf("");
let finished: (() => unknown)[] = [];
let running = "the tests could not be read";
let runningFile: string | undefined;
let passed = 0;
let longestIdle = 0;

/** A test that ends itself, because this machine cannot run it. */
class Skipped extends Error {}

/** The context of a test, as far as the tests of this repository use it. */
const context = {
  skip(when: unknown = true): void {
    if (when !== false) throw new Skipped();
  },
};

/** A body, after or before its options. Limits are ignored. */
type Rest = readonly [body: Body, limit?: number] | readonly [options: object, body: Body];

/**
 * Tests that `npm test` leaves out are left out here, too, unless all are asked for: it must notice each
 * fault.
 */
const isLeftOut = ([options]: Rest): boolean =>
  process.env["OJM_ALL"] === undefined &&
  typeof options === "object" &&
  "tags" in options &&
  [options.tags].flat().includes("full");

const bodyOf = (rest: Rest): Body => rest.find((one): one is Body => typeof one === "function") ?? (() => {});

/** A function that declares a part: one for each case of a table, or none where a condition says so. */
interface Declare {
  (name: string, ...rest: Rest): void;
  each(cases: readonly unknown[]): (name: string, ...rest: Rest) => void;
  skip(name: string, body?: Body): void;
  skipIf(condition: unknown): Declare;
  runIf(condition: unknown): Declare;
}

function declare(one: (name: string, body: () => unknown) => void): Declare {
  const plain = (name: string, ...rest: Rest): void => {
    if (!isLeftOut(rest)) one(name, () => bodyOf(rest)(...([context] as never[])));
  };
  const each =
    (cases: readonly unknown[]) =>
    (name: string, ...rest: Rest) => {
      if (isLeftOut(rest)) return;
      const body = bodyOf(rest);
      for (const it of cases) {
        const args = (Array.isArray(it) ? it : [it]) as never[];
        one(name.includes("%") ? format(name, ...args) : `${name} ${format("%j", args[0])}`, () => body(...args));
      }
    };
  const skip = (): void => {};
  const skipIf = (condition: unknown): Declare => (condition ? declare(skip) : declared);
  const runIf = (condition: unknown): Declare => skipIf(!condition);
  const declared = Object.assign(plain, { each, skip, skipIf, runIf });
  return declared;
}

const addTest = (name: string, body: () => unknown): void => void current.parts.push({ name, body });
export const test: Declare = declare(addTest);
export const it: Declare = declare(addTest);
export const describe: Declare = declare((name, body) => {
  const suite = suiteOf(name, current);
  current.parts.push(suite);
  current = suite;
  body();
  current = suite.parent ?? suite;
});

const hook = (kind: Hook) => (body: () => unknown) => void current.hooks[kind].push(body);
type Declared = (body: () => unknown) => void;
export const beforeAll: Declared = hook("beforeAll");
export const beforeEach: Declared = hook("beforeEach");
export const afterEach: Declared = hook("afterEach");
export const afterAll: Declared = hook("afterAll");
export const onTestFinished: Declared = (body) => void finished.unshift(body);

/** A replacement for `expect.poll` of vitest: asks again until the answer is as expected. */
export function withPoll<T extends object>(expect: T): T {
  const poll = (ask: () => unknown, { interval = 50, timeout = 60_000 } = {}) => {
    const end = performance.now() + timeout;
    const matchers = (of: (value: unknown) => object): object =>
      new Proxy(
        {},
        { get: (_, key) => (key === "not" ? matchers((it) => Reflect.get(of(it), "not")) : until(of, key)) },
      );
    const until =
      (of: (value: unknown) => object, key: string | symbol) =>
      async (...args: unknown[]) => {
        for (;;) {
          try {
            const matchers = of(await ask());
            return await Reflect.apply(Reflect.get(matchers, key), matchers, args);
          } catch (error) {
            if (performance.now() >= end) throw error;
          }
          await new Promise((resolve) => setTimeout(resolve, interval));
        }
      };
    return matchers((value) => (expect as unknown as (value: unknown) => object)(value));
  };
  return new Proxy(expect, { get: (target, key) => (key === "poll" ? poll : Reflect.get(target, key)) });
}

async function all(bodies: readonly (() => unknown)[]): Promise<void> {
  for (const body of bodies) await body();
}

/** The hooks of a suite and of those that it is in, the outermost first. */
function hooksOf(suite: Suite, kind: Hook): (() => unknown)[] {
  return [...(suite.parent === undefined ? [] : hooksOf(suite.parent, kind)), ...suite.hooks[kind]];
}

async function runTest(suite: Suite, { name, body }: Test): Promise<void> {
  running = name;
  const before = performance.eventLoopUtilization();
  finished = [];
  try {
    await all(hooksOf(suite, "beforeEach"));
    await body();
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
  }
  await all(hooksOf(suite, "afterEach").reverse());
  await all(finished);
  longestIdle = Math.max(longestIdle, performance.eventLoopUtilization(before).idle);
  passed++;
}

async function runSuite(suite: Suite): Promise<void> {
  await all(suite.hooks.beforeAll);
  for (const part of suite.parts) await ("parts" in part ? runSuite(part) : runTest(suite, part));
  await all(suite.hooks.afterAll);
}

/** Detects it by the event loop itself: on a busy machine, time proves nothing. */
function watchIdleness(most: number, onStuck: () => void): void {
  let before = performance.eventLoopUtilization();
  let done = -1;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    if (now.idle - before.idle > 0.95 * most && passed === done) onStuck();
    before = now;
    done = passed;
  }, most);
}

/** How the tests of some files are run. */
export interface Plan {
  /** Where {@link Outcome} is written. */
  readonly outcome: string;
  readonly files: readonly string[];
  /** A test is stuck if nothing at all happens for this long, in ms. */
  readonly mostIdle: number;
  /** Is called before each test. */
  reset(): void;
}

/** Runs the tests of these files, and writes their outcome. */
export async function main({ outcome, files, mostIdle, reset }: Plan): Promise<void> {
  const end = (rest: Omit<Outcome, "passed" | "cpu" | "idle">): never => {
    const { user, system } = process.cpuUsage();
    const cpu = Math.round((user + system) / 1_000);
    writeFileSync(outcome, JSON.stringify({ passed, cpu, idle: Math.round(longestIdle), ...rest } satisfies Outcome));
    process.exit();
  };
  const fail = (error: unknown): never => end({ failed: `${running}: ${firstLine(error)}`, file: runningFile });
  process.on("unhandledRejection", fail).on("uncaughtException", fail);
  watchIdleness(mostIdle, () => end({ failed: running, stuck: true }));
  // The cleanup after each file that shares a process: see test/setup-sharing.ts.
  const { afterAll } = current.hooks;
  try {
    for (const file of files) {
      runningFile = file;
      current = suiteOf(file);
      const suite = current;
      suite.hooks.beforeEach.push(reset);
      await import(pathToFileURL(join(process.cwd(), file)).href);
      suite.hooks.afterAll.push(...afterAll);
      await runSuite(suite);
    }
  } catch (error) {
    fail(error);
  }
  end({});
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0] ?? "";
}
