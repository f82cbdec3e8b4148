import { type ChildProcess, spawn } from "node:child_process";
import {
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
import type { Mutant } from "./types.js";

/** What became of a mutant. `stuck`: the tests did not come to an end. `broken`: the tests could not be run. */
export interface Verdict {
  readonly outcome: "killed" | "survived" | "stuck" | "broken";
  /** The first test that failed, or what went wrong. */
  readonly by?: string;
  /** What the tests took of the processor, in ms. */
  readonly cpu?: number;
}

/** What tests may take of the processor, in times of what they take on the code as it is, and in s beyond: what loops for ever is ended then. */
const TIMES = 1.5;
const MORE = 5;

/** The simulation finds what it finds with few seeds; a mutant must not cost minutes. */
const ENV: NodeJS.ProcessEnv = { OJM_SEEDS: "6" };

/** A copy of the tree, in which mutants are tried: the tree itself stays as it is. */
export class Trial {
  readonly #root: string;
  readonly #copy: string;
  #child: ChildProcess | undefined;
  /** In s. */
  #mostCpu = 3_600;

  constructor(root: string) {
    this.#root = root;
    this.#copy = mkdtempSync(join(tmpdir(), "ojm-mutants-"));
    const left = /^(\.git|node_modules\/\.(pnpm|vite|vite-temp|ojm))$|(^|\/)dist$/;
    cpSync(root, this.#copy, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => !left.test(relative(root, from)),
    });
    symlinkSync(join(root, "node_modules/.pnpm"), join(this.#copy, "node_modules/.pnpm"));
    this.#standIn();
  }

  /** Puts the harness in the place of vitest: ten times sooner at the first test. */
  #standIn(): void {
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
        "export { expect, vi };",
      ].join("\n"),
    );
  }

  /** Runs tests on the code as it is: what that takes is the measure for the mutants. */
  async unchanged(tests: readonly string[]): Promise<Verdict> {
    const verdict = await this.#run(tests);
    this.#mostCpu = Math.ceil(((verdict.cpu ?? 0) / 1_000) * TIMES) + MORE;
    return verdict;
  }

  /** Runs tests on a mutant, in this order, until one fails. */
  async on({ file, start, end, replacement }: Mutant, tests: readonly string[]): Promise<Verdict> {
    const before = readFileSync(join(this.#root, file), "utf8");
    writeFileSync(join(this.#copy, file), before.slice(0, start) + replacement + before.slice(end));
    try {
      return await this.#run(tests);
    } finally {
      writeFileSync(join(this.#copy, file), before);
    }
  }

  /** Ends what is under way, and removes the copy. */
  remove(): void {
    this.#kill();
    rmSync(this.#copy, { recursive: true, force: true });
  }

  async #run(tests: readonly string[]): Promise<Verdict> {
    const outcome = join(this.#copy, "outcome.json");
    rmSync(outcome, { force: true });
    const node = ["--import", "tsx", "--conditions=@ojm/source", "test/mutants/run-tests.ts"];
    const options = { cwd: this.#copy, env: { ...process.env, ...ENV }, detached: true, stdio: "ignore" } as const;
    // The system ends what uses too much of the processor: time says nothing on a machine with much to do.
    const limited = ["-c", `ulimit -t ${this.#mostCpu}; exec "$0" "$@"`, process.execPath];
    // A group of its own, so that it can be ended with all that it started.
    const child = spawn("sh", [...limited, ...node, outcome, ...tests], options);
    this.#child = child;
    const signal = await new Promise<string | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
    this.#child = undefined;
    if (existsSync(outcome)) return verdict(JSON.parse(readFileSync(outcome, "utf8")) as Outcome);
    if (signal !== null) return { outcome: "stuck", by: `it used up ${this.#mostCpu} s of the processor` };
    return { outcome: "broken", by: "the tests ended and told nothing" };
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

function verdict({ passed, failed, cpu, stuck = false }: Outcome): Verdict {
  if (failed !== undefined) return { outcome: stuck ? "stuck" : "killed", by: failed, cpu };
  return passed === 0 ? { outcome: "broken", by: "there was no test" } : { outcome: "survived", cpu };
}
