import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Outcome } from "./harness.js";
import { processesOf } from "./plan.js";
import type { Mutant } from "./types.js";

/** The outcome of a mutant. `stuck`: the tests did not end. `broken`: the tests could not be run. */
export interface Verdict {
  readonly outcome: "killed" | "survived" | "stuck" | "broken";
  /** The first test that failed, or what went wrong. */
  readonly by?: string;
  /** The file of that test. */
  readonly file?: string | undefined;
  /** The processor time of the tests, in ms. */
  readonly cpu?: number;
  /** The longest that one of them waited for something, in ms. */
  readonly idle?: number;
}

/**
 * What ends the tests: a limit of processor time, in s, and a time in which nothing at all happens, in ms.
 */
interface Limits {
  readonly cpu: number;
  readonly idle: number;
}

const UNCHANGED: Limits = { cpu: 3_600, idle: 90_000 };

/** Of tests that were not measured yet. If they reach it, they are measured and run again. */
const UNMEASURED: Limits = { cpu: 120, idle: 30_000 };

/**
 * The limit of the processor time of tests: a multiple of that on the unchanged code, plus some seconds. It
 * ends endless loops.
 */
const TIMES = 1.5;
const MORE = 5;

/** How long a test may wait, as a multiple of the longest wait on the unchanged code, and in ms at least. */
const WAITS = 3;
const SHORTEST = 6_000;

/** The simulation finds most faults with few seeds, and a mutant must not cost minutes. */
const ENV: NodeJS.ProcessEnv = { OJM_SEEDS: "6" };

/** A copy of the tree, in which mutants are tried: the tree itself stays as it is. */
export class Trial {
  readonly #root: string;
  readonly #all: boolean;
  readonly #copy: string;
  #child: ChildProcess | undefined;
  /** Of each file of tests, on the code as it is. */
  readonly #unchanged = new Map<string, Verdict>();

  /** `all`: with the tests that `npm test` leaves out. */
  constructor(root: string, all: boolean) {
    this.#root = root;
    this.#all = all;
    this.#copy = mkdtempSync(join(tmpdir(), "ojm-mutants-"));
    const left = /^(\.git|node_modules\/\.(pnpm|vite|vite-temp|ojm))$|(^|\/)dist$/;
    cpSync(root, this.#copy, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => !left.test(relative(root, from)),
    });
    symlinkSync(join(root, "node_modules/.pnpm"), join(this.#copy, "node_modules/.pnpm"));
    // Some tests are run by other users, too.
    chmodSync(this.#copy, 0o755);
    mkdirSync(join(this.#copy, "tmp"));
    this.#standInForVitest();
  }

  /** Replaces vitest by the harness, which reaches the first test ten times sooner. */
  #standInForVitest(): void {
    const folder = join(this.#copy, "node_modules/vitest");
    const vitest = pathToFileURL(join(realpathSync(folder), "dist/index.js")).href;
    rmSync(folder);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "vitest", type: "module", main: "index.js" }));
    const harness = pathToFileURL(join(this.#copy, "test/mutants/harness.ts")).href;
    writeFileSync(
      join(folder, "index.js"),
      [
        `import { expect as real, vi } from ${JSON.stringify(vitest)};`,
        `import { withPoll } from ${JSON.stringify(harness)};`,
        `export * from ${JSON.stringify(harness)};`,
        "const expect = withPoll(real);",
        // Fake timers read their configuration from vitest's worker, and vi.stubEnv its variables.
        "globalThis.__vitest_worker__ ??= { config: { fakeTimers: {} }, environment: { name: 'node' }, ctx: {}, metaEnv: process.env };",
        "export { expect, vi };",
      ].join("\n"),
    );
  }

  /**
   * Runs tests on a mutant, in this order, until one fails. Those that fail on the code as it is are left
   * out: they would make every mutant look noticed. Without them a mutant that survives is not judged.
   */
  async on(mutant: Mutant, tests: readonly string[]): Promise<Verdict> {
    let broken: Verdict | undefined = tests.length === 0 ? { outcome: "broken", by: "no test reaches it" } : undefined;
    for (let files of processesOf(tests)) {
      while (files.length > 0) {
        const verdict = await this.#onChanged(mutant, files, this.#limits(files));
        if (verdict.outcome === "survived") break;
        const suspects = verdict.outcome === "killed" && verdict.file !== undefined ? [verdict.file] : files;
        const isMeasured = suspects.every((file) => this.#unchanged.has(file));
        const unsound: string[] = [];
        for (const file of suspects) {
          const before = await this.#onUnchanged(file);
          if (before.outcome === "survived") continue;
          unsound.push(file);
          broken ??= { outcome: "broken", by: `${file} on the code as it is: ${before.by}` };
        }
        // Tests that were stuck run again with limits by what they take on the unchanged code.
        if (unsound.length === 0 && (verdict.outcome === "killed" || isMeasured)) return verdict;
        files = files.filter((file) => !unsound.includes(file));
      }
    }
    return broken ?? { outcome: "survived" };
  }

  /**
   * Runs a test file alone and once on the unchanged code, after it failed on a mutant: most files notice
   * nothing, and need no second run. Its cost is the measure for the mutants after that.
   */
  async #onUnchanged(test: string): Promise<Verdict> {
    const verdict = this.#unchanged.get(test) ?? (await this.#run([test], UNCHANGED));
    this.#unchanged.set(test, verdict);
    return verdict;
  }

  async #onChanged(
    { file, start, end, replacement }: Mutant,
    tests: readonly string[],
    limits: Limits,
  ): Promise<Verdict> {
    const before = readFileSync(join(this.#root, file), "utf8");
    writeFileSync(join(this.#copy, file), before.slice(0, start) + replacement + before.slice(end));
    try {
      return await this.#run(tests, limits);
    } finally {
      writeFileSync(join(this.#copy, file), before);
    }
  }

  #limits(tests: readonly string[]): Limits {
    const known = tests.flatMap((test) => this.#unchanged.get(test) ?? []);
    if (known.length < tests.length) return UNMEASURED;
    const cpu = known.reduce((sum, verdict) => sum + (verdict.cpu ?? 0), 0);
    const idle = Math.max(0, ...known.map((verdict) => verdict.idle ?? 0));
    return { cpu: Math.ceil((cpu / 1_000) * TIMES) + MORE, idle: Math.max(SHORTEST, idle * WAITS) };
  }

  /** Ends what is under way, and removes the copy. */
  remove(): void {
    this.#kill();
    rmSync(this.#copy, { recursive: true, force: true });
  }

  async #run(tests: readonly string[], limits: Limits): Promise<Verdict> {
    const outcome = join(this.#copy, "outcome.json");
    rmSync(outcome, { force: true });
    const node = ["--import", "tsx", "--conditions=@ojm/source", "test/mutants/run-tests.ts"];
    // Temporary files of a failed test are removed with the copy.
    const env = { ...process.env, ...ENV, TMPDIR: join(this.#copy, "tmp"), ...(this.#all && { OJM_ALL: "1" }) };
    const options = { cwd: this.#copy, env, detached: true, stdio: "ignore" } as const;
    // The system ends a process that uses too much processor time: on a busy machine, elapsed time proves
    // nothing.
    const limited = ["-c", `ulimit -t ${limits.cpu}; exec "$0" "$@"`, process.execPath];
    // A group of its own, so that it can be ended with all of its children.
    const child = spawn("sh", [...limited, ...node, outcome, String(limits.idle), ...tests], options);
    this.#child = child;
    const signal = await new Promise<string | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
    // A failed test leaves its servers behind.
    this.#kill();
    this.#child = undefined;
    if (existsSync(outcome)) return verdict(JSON.parse(readFileSync(outcome, "utf8")) as Outcome);
    if (signal !== null) return { outcome: "stuck", by: `it used up ${limits.cpu} s of the processor` };
    return { outcome: "broken", by: "the tests ended without a result" };
  }

  #kill(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

function verdict({ failed, file, cpu, idle, stuck = false }: Outcome): Verdict {
  if (failed !== undefined) return { outcome: stuck ? "stuck" : "killed", by: failed, file, cpu, idle };
  // A file may leave all of its tests to `npm run test:all`, one by one, or to other machines.
  return { outcome: "survived", cpu, idle };
}
