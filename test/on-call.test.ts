/**
 * The pages of docs/on-call, as written.
 * @module-tag full
 */
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { describe, expect, it, onTestFinished } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { type CommandLine, commandLines } from "./support/command-lines.js";
import { folderWithStore } from "./support/store-config.js";
import { onSharedStores } from "./support/stores.js";

/*
 * The commands of the pages in docs/on-call are run in the order of the index, and print what the pages show.
 * Of a block with several commands, the output is that of the last. An output may differ in its numbers and
 * times, in the names of the user and the host, and in the width of gaps. A line of `…` stands for any lines.
 */

const PAGES = fileURLToPath(new URL("../docs/on-call", import.meta.url));

/** A page of codes, not of commands. test/reference.test.ts checks it. */
const ERRORS = "errors.md";

const index = readFileSync(join(PAGES, "README.md"), "utf8");

/** The index, and the pages of the symptoms in its order. */
const pages = [
  "README.md",
  ...[...index.matchAll(/^\| \[.*\]\(([\w-]+\.md)\)/gm)].map(([, page = ""]) => page).filter((page) => page !== ERRORS),
];

interface Step extends CommandLine {
  /** The lines that the command prints. */
  readonly prints?: readonly string[];
}

/** The commands of the blocks of a page, in order. */
function stepsOf(page: string): Step[] {
  const text = readFileSync(join(PAGES, page), "utf8");
  return [...text.matchAll(/^```sh\n[\s\S]*?^```$(?:\n\n```text\n([\s\S]*?)\n```$)?/gm)].flatMap(([block, output]) => {
    const lines = commandLines(page, block.slice(0, block.indexOf("\n```") + 4));
    return lines.map((line, i) => ({
      ...line,
      ...(output !== undefined && i === lines.length - 1 && { prints: output.split("\n") }),
    }));
  });
}

const HOSTS = new RegExp(`(?<![\\w-])(?:host-a|${hostname().replace(/[.]/g, "\\.")})(?![\\w-])`, "g");

/** A line without what may differ. */
function plain(line: string): string {
  return line
    .replace(HOSTS, "HOST")
    .replace(/[\w.-]+@HOST/g, "WHO")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/(?:≤ )?\d[\d.]*(?: (?:ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?)/g, "DURATION")
    .replace(/\d+/g, "0")
    .replace(/-{3,}/g, "---")
    .replace(/ {2,}/g, " ")
    .trimEnd();
}

/** The first line that an output lacks; `undefined` if the output is as shown. */
function missingLine(shown: readonly string[], output: string): string | undefined {
  const lines = output.trimEnd().split("\n").map(plain);
  let at = 0;
  let isGap = false;
  for (const line of shown) {
    if (line === "…") isGap = true;
    else {
      const found = isGap ? lines.indexOf(plain(line), at) : at;
      if (lines[found] !== plain(line)) return line;
      at = found + 1;
      isGap = false;
    }
  }
  return isGap || at === lines.length ? undefined : `the end, before: ${lines[at]}`;
}

it("an output that differs from that of a page would be found", () => {
  const output = "RUN   WHERE\n----  -----\na     pid 12\nb     pid 13\n";
  expect(missingLine(["RUN  WHERE", "---  ---", "a  pid 7", "b  pid 8"], output)).toBeUndefined();
  expect(missingLine(["…", "b  pid 8"], output)).toBeUndefined();
  expect(missingLine(["RUN  WHERE", "…"], output)).toBeUndefined();
  expect(missingLine(["RUN  WHERE", "a  pid 7", "…"], output)).toBe("a  pid 7");
  expect(missingLine(["…", "c  pid 8"], output)).toBe("c  pid 8");
  expect(missingLine(["…", "a  pid 8"], output)).toMatch("the end");
});

it("the index of On call has every page, and each page has commands", () => {
  expect([...pages, ERRORS].sort()).toEqual(readdirSync(PAGES).sort());
  for (const page of pages) expect([page, stepsOf(page).length > 0]).toEqual([page, true]);
});

/** What the pages are tried on. */
interface Scene {
  readonly options: JobManagerOptions;
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  /** Starts a command that runs until it is killed. Resolves to its `ojm` and its pid. */
  exec(name: string): Promise<readonly [ojm: Ojm, pid: number]>;
}

async function isLogged(manager: JobManager, name: string): Promise<boolean> {
  for await (const run of manager.history({ name, limit: 1 })) {
    for await (const _ of manager.log(run)) return true;
  }
  return false;
}

async function fail(manager: JobManager, name: string, why: string): Promise<void> {
  const body = (run: { readonly log: { info(text: string): void } }): never => {
    run.log.info("begun");
    throw new Error(why);
  };
  await manager.run(name, body).catch(() => {});
}

async function isSkipped(scheduler: Scheduler, name: string): Promise<boolean> {
  for await (const { outcome } of scheduler.ticks(name)) if (outcome === "skipped") return true;
  return false;
}

/** The state at the first page: one job was killed, one failed, one hangs, one obeys, one is paused. */
async function prepare({ options, manager, scheduler, exec }: Scene): Promise<void> {
  const [ojm, pid] = await exec("backup");
  await expect.poll(() => isLogged(manager, "backup")).toBe(true);
  ojm.process.kill("SIGKILL");
  process.kill(pid, "SIGKILL");
  await ojm.ended;
  // A process that opens the store closes the runs of dead ones.
  await (await openJobManager(options)).close();
  for (let i = 0; i < 2; i++) {
    for (const name of ["import", "report"]) await manager.run(name, () => {});
    await fail(manager, "billing", "the bank does not answer");
  }
  const obedient = await manager.start("import");
  obedient.log.info("connects to the database");
  obedient.log.info("waits for the database");
  obedient.progress(1, 10);
  obedient.signal.addEventListener("abort", () => void obedient.cancel());
  await manager.start("sync");
  for (const name of ["billing", "import"]) {
    await expect.poll(() => isLogged(manager, name)).toBe(true);
  }
  const isLost = async (): Promise<boolean> => {
    for await (const { status } of manager.history({ name: "backup" })) return status === "lost";
    return false;
  };
  await expect.poll(isLost).toBe(true);
  await scheduler.add("report", { cron: "0 2 * * *" }, () => {});
  await scheduler.pause("report", { reason: "the database moves" });
}

/** What happens before a page is read. */
const before: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "README.md": prepare,
  "did-not-run.md": async ({ scheduler }) => {
    const untilAborted = ({ signal }: { readonly signal: AbortSignal }): Promise<void> =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    await scheduler.add("poll", { every: 1_000 }, untilAborted);
    await expect.poll(() => isSkipped(scheduler, "poll")).toBe(true);
  },
  "exec.md": async ({ manager, exec }) => {
    const run = await manager.start("reindex");
    run.signal.addEventListener("abort", () => void run.cancel());
    const [ojm] = await exec("orders");
    ojm.process.kill("SIGKILL");
    await ojm.ended;
  },
};

describe("the pages of On call", () => {
  onSharedStores({ first: ["redis"] }, (create) => {
    it("the commands of On call do what the pages say, page by page", async () => {
      const options = await create();
      const folder = folderWithStore(options);
      await using manager = await openJobManager(options);
      await using scheduler = openScheduler(manager);
      const exec = async (name: string): Promise<readonly [Ojm, number]> => {
        const ojm = new Ojm(folder, ["exec", name, "--", "sh", "-c", "echo begun $$; exec sleep 300"]);
        onTestFinished(() => void ojm.process.kill("SIGKILL"));
        await ojm.prints("begun");
        const pid = Number(/begun (\d+)/.exec(ojm.out)?.[1]);
        onTestFinished(() => {
          try {
            process.kill(pid, "SIGKILL");
          } catch {}
        });
        return [ojm, pid];
      };

      for (const page of pages) {
        await before[page]?.({ options, manager, scheduler, exec });
        for (const { words, code, prints } of stepsOf(page)) {
          const ended = await called(folder, words);
          expect({ page, words, ...ended }).toMatchObject({ page, words, code, ...(code === 0 && { err: "" }) });
          if (prints === undefined) continue;
          const output = ended.out + ended.err;
          expect({ page, words, output, missing: missingLine(prints, output) }).toMatchObject({ missing: undefined });
        }
      }
    });
  });
});
