import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type JobManager, openJobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { describe, expect, it, onTestFinished } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { commandLines } from "./support/command-lines.js";
import { folderWithStore } from "./support/store-config.js";
import { onSharedStores } from "./support/stores.js";

const PAGE = fileURLToPath(new URL("../docs/on-call.md", import.meta.url));

/** The command lines of the blocks of the page, in order. */
const lines = commandLines("docs/on-call.md", blocksOf(readFileSync(PAGE, "utf8")));

function blocksOf(page: string): string {
  return [...page.matchAll(/^```sh\n[\s\S]*?^```$/gm)].map(([block]) => block).join("\n");
}

/** Waits until the last run of a name has a log in the store. */
async function untilLogged(manager: JobManager, name: string): Promise<void> {
  for await (const run of manager.history({ name, limit: 1 })) {
    const isLogged = async (): Promise<boolean> => {
      for await (const _ of manager.log(run)) return true;
      return false;
    };
    await expect.poll(isLogged).toBe(true);
  }
}

async function fail(manager: JobManager, name: string): Promise<void> {
  const body = (run: { readonly log: { info(text: string): void } }): never => {
    run.log.info("begun");
    throw new Error(`no ${name}`);
  };
  await manager.run(name, body, { wait: 60_000 }).catch(() => {});
}

describe("the page On call", () => {
  it("has a command for each of its questions", () => {
    expect(lines.length).toBeGreaterThan(25);
  });

  onSharedStores({ first: ["redis"] }, (create) => {
    it("does what it says, command by command", async () => {
      const options = await create();
      const folder = folderWithStore(options);
      const ojm = (...words: readonly string[]): Ojm => {
        const started = new Ojm(folder, words);
        onTestFinished(() => void started.process.kill("SIGKILL"));
        return started;
      };
      await using manager = await openJobManager(options);
      await using scheduler = openScheduler(manager);
      // The state of the store: one job hangs and obeys, one hangs, one was killed, one failed, one is
      // paused.
      const killed = ojm("exec", "backup", "--", "sh", "-c", "echo began $$; exec sleep 300");
      await killed.prints("began");
      killed.process.kill("SIGKILL");
      process.kill(Number(/began (\d+)/.exec(killed.out)?.[1]), "SIGKILL");
      await killed.ended;
      // On etcd, only runs that did not complete keep their logs.
      await fail(manager, "backup");
      await fail(manager, "billing");
      const obedient = await manager.start("import");
      obedient.log.info("waits for the database");
      obedient.progress(1, 10);
      obedient.signal.addEventListener("abort", () => void obedient.cancel());
      await manager.start("sync");
      for (const name of ["backup", "billing", "import"]) await untilLogged(manager, name);
      await scheduler.add("report", { cron: "0 2 * * *" }, () => {});
      await scheduler.pause("report", { reason: "somebody forgot it" });

      for (const { words, code } of lines) {
        const ended = await called(folder, words);
        expect({ words, ...ended }).toMatchObject({ words, code, ...(code === 0 && { err: "" }) });
        expect(words.includes("exec") || ended.out + ended.err).not.toBe("");
        if (words.includes("lost")) expect(ended.out).toMatch(/^backup .* lost /m);
        if (words.join(" ") === "why report") expect(ended.out).toMatch(/somebody forgot it .*ojm resume report/);
      }
      expect(obedient.signal.aborted).toBe(true);
    });
  });
});
