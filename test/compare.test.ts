import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { expect, it } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";
import { commandLines } from "./support/command-lines.js";
import { folderWithStore } from "./support/store-config.js";
import { onSharedStores } from "./support/stores.js";

const PAGE = fileURLToPath(new URL("../docs/project/compare.md", import.meta.url));

/** The column of ojm, for each question. */
const answers = readFileSync(PAGE, "utf8")
  .split("\n")
  .filter((row) => /^\| \d+ \|/.test(row))
  .map((row) => row.split(" | ")[2] ?? "");

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("ojm answers each of the twelve questions in one command", async () => answersAll(await create()));
});

async function answersAll(options: JobManagerOptions): Promise<void> {
  expect(answers).toHaveLength(12);
  const folder = folderWithStore(options);
  await using manager = await openJobManager(options);
  await using scheduler = openScheduler(manager);
  // On etcd, only the log of a run that failed is stored.
  const failing = manager.run("billing", (run) => {
    run.log.info("begun");
    throw new Error("no rows");
  });
  await expect(failing).rejects.toThrow("no rows");
  const obedient = await manager.start("import");
  obedient.signal.addEventListener("abort", () => void obedient.cancel());
  const hanging = await manager.start("sync");
  await scheduler.add("report", { cron: "0 2 * * *" }, () => {});

  for (const answer of answers) {
    const [line, ...more] = commandLines("docs/project/compare.md", answer.replace("./backup.sh", "true"));
    expect([answer, more]).toEqual([expect.stringMatching(/^`ojm .*`$/), []]);
    const words = line?.words ?? [];
    const { code, out, err } = await called(folder, words);
    expect({ words, code, err }).toEqual({ words, code: 0, err: "" });
    expect(words[0] === "exec" || out).not.toBe("");
  }
  expect([obedient.signal.aborted, hanging.signal.aborted]).toEqual([true, true]);
}
