import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JobManager, openJobManager, type Run } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { prepareType } from "../backends.js";
import { commands, groups } from "../command-line/commands.js";
import { called } from "../testing/called.js";
import { given } from "../testing/given.js";
import { fileOf, readPrinted } from "../testing/printed-json.js";
import { storeIn } from "../testing/store.js";

const FILES = fileURLToPath(new URL("../../schemas/", import.meta.url));

/** The commands that print JSON. */
const printing = [...commands.values()].filter(({ options }) => options["json"] !== undefined).map(({ name }) => name);

let store: string;
let manager: JobManager;
let run: Run;

beforeEach(async () => {
  const file = join(folderWith({}), "ojm.db");
  store = `sqlite:${file}`;
  await prepareType("sqlite");
  const options = { type: "sqlite", args: { file } };
  manager = await openJobManager({ chJobs: options, chLocks: options });
  onTestFinished(() => manager.close());
});

/** What a command prints to stdout. */
async function printed(command: string, ...words: readonly string[]): Promise<string> {
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    const module = await commands.get(command)?.load();
    await module?.execute(await given(command, ...words, "--store", store, "--json"), groups);
  } finally {
    write.mockRestore();
  }
  return out;
}

/** The output of a command, which must match its schema. */
async function valid(command: string, ...words: readonly string[]): Promise<unknown> {
  const out = await printed(command, ...words);
  const { value, errors } = readPrinted(command, out);
  expect([errors, value]).toEqual([[], value]);
  return value;
}

test("the schema files are one for each command that prints JSON, and one for errors", () => {
  const names = [...printing, "error"].map(fileOf);
  expect(readdirSync(FILES).sort()).toEqual(names.sort());
});

describe("what is printed", () => {
  test("of runs, locks and logs is as the schemas say", async () => {
    await manager.run("import", () => ({ rows: 3 }), { meta: { customer: "x" } });
    await manager.run("import", () => Promise.reject(new Error("no"))).catch(() => {});
    await manager.run("again", () => {}, { retry: { attempts: 2 } });
    run = await manager.start("report");
    run.log.info("one");
    run.progress(1, 2, "orders");
    await expect.poll(() => manager.progress(run)).toBeDefined();
    const left = { attempts: 2, delay: 3_600_000 };
    const tried = manager.run("tried", () => Promise.reject(new Error("no")), { retry: left });
    tried.catch(() => {});
    await expect.poll(() => manager.retries()).toHaveLength(1);
    await using lease = await manager.lock("plain", { note: { why: "x" } });
    expect(await valid("ps")).toMatchObject([{ status: "running" }, { status: "waiting" }]);
    expect(await valid("runs")).toHaveLength(5);
    expect(await valid("runs", "--by-name")).toHaveLength(4);
    expect(await valid("history")).toHaveLength(5);
    expect(await valid("history", "-n", "2")).toHaveLength(2);
    expect(await valid("jobs")).toHaveLength(4);
    expect(await valid("locks")).toHaveLength(5);
    expect(await valid("show", "report")).toMatchObject({ progress: { done: 1 } });
    expect(await valid("wait", "import")).toMatchObject({ status: "failed" });
    // A line is written a moment after the call.
    await expect.poll(() => valid("logs", "report")).toHaveLength(1);
    expect(await valid("logs", "report", "-n", "1")).toHaveLength(1);
    expect(await valid("why", "report")).toHaveLength(1);
    expect(await valid("why", "import")).not.toEqual([]);
    expect(await valid("doctor")).not.toEqual([]);
    expect(lease.name).toBe("plain");
    await run.end();
  });

  test("of an action on the work of others is as the schemas say", async () => {
    const reason = ["--reason", "test"];
    run = await manager.start("import");
    run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
    expect(await valid("cancel", "import", "--dry-run")).toMatchObject({ dryRun: true });
    expect(await valid("unlock", "import", "--dry-run")).toMatchObject({ dryRun: true });
    expect(await valid("cancel", "import", ...reason)).toMatchObject({ ended: true });
    expect(await valid("hold", "import", ...reason)).toMatchObject({ name: "import" });
    expect(await valid("why", "import")).not.toEqual([]);
    expect(await valid("unlock", "import", ...reason)).toMatchObject({ unlocked: true });
    expect(await valid("audit")).toHaveLength(3);
    expect(await valid("prune", "--older-than", "1h", "--dry-run")).toEqual({ removed: 0, audits: 0, dryRun: true });
    expect(await valid("prune", "--older-than", "1h")).toEqual({ removed: 0, audits: 0 });
  });

  test("of schedules is as the schemas say", async () => {
    const reason = ["--reason", "test"];
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: 60_000, missed: { run: "latest", max: 3 }, meta: { a: 1 } }, () => {});
    expect(await valid("next")).toHaveLength(1);
    expect(await valid("jobs")).toHaveLength(1);
    expect(await valid("run-now", "report", ...reason)).toHaveProperty("run");
    expect(await valid("pause", "report", ...reason, "--until", "1h")).toMatchObject({ paused: true });
    expect(await valid("pause", "re*", "--dry-run")).toMatchObject([{ name: "report", dryRun: true }]);
    expect(await valid("resume", "re*", "--dry-run")).toMatchObject([{ name: "report", wasPaused: true }]);
    expect(await valid("run-now", "report", "--dry-run")).toMatchObject({ name: "report", dryRun: true });
    expect(await valid("hold", "report", "--dry-run")).toMatchObject({ name: "report", dryRun: true });
    expect(await valid("why", "report")).not.toEqual([]);
    expect(await valid("next", "report")).not.toEqual([]);
    expect(await valid("resume", "report")).toMatchObject({ wasPaused: true });
    expect(await valid("backfill", "report", "--from", "5m", ...reason)).toHaveProperty("ticks");
    await expect.poll(async () => JSON.parse(await printed("ticks", "report"))).not.toEqual([]);
    expect(await valid("ticks", "report")).not.toEqual([]);
    expect(await valid("schedules", "rm", "report", ...reason)).toMatchObject({ removed: true });
  });
});

describe("an error of a command that prints JSON", () => {
  test.each<[readonly string[], number, string]>([
    [["show", "none", "--store", "sqlite:ojm.db", "--json"], 3, "notFound"],
    [["runs", "--store", "sqlite:none.db", "--jsonl"], 2, "usage"],
    [["runs", "--store", "sqlite:empty.db", "--json"], 2, "usage"],
    [["runs", "--store", "sqlite:text.db", "--json"], 2, "usage"],
    [["runs", "--json", "--wrong"], 2, "usage"],
  ])("is JSON on stderr: %j", async (words, exit, code) => {
    const folder = folderWith({ "empty.db": "", "text.db": "hello, this is a text file" });
    await storeIn(folder);
    const ended = await called(folder, words);
    const { value: error, errors } = readPrinted("error", ended.err);
    expect(errors).toEqual([]);
    expect([ended.code, ended.out, error]).toMatchObject([exit, "", { error: { code, exit } }]);
  });

  test("is text if it has no output in JSON, or none was asked for", async () => {
    expect((await called("/", ["version", "--json"])).err).toMatch(/^ojm: /);
    const folder = folderWith({ "empty.db": "", "text.db": "hello, this is a text file" });
    expect(await called(folder, ["runs", "--store", "sqlite:empty.db"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/empty\.db is an empty file, not a store: /),
    });
    expect(await called(folder, ["exec", "a", "--store", "sqlite:text.db", "--", "true"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/text\.db is not an SQLite database, so it is not a store\. /),
    });
  });

  test("what an import printed is as its schema says", async () => {
    const folder = folderWith({});
    const file = join(folder, "export.jsonl");
    writeFileSync(file, (await called(folder, ["export", "--store", store])).out);
    expect(await valid("import", file)).toMatchObject({ from: { store: "sqlite" } });
  });
});
