import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";
import { Database } from "../packages/sqlite/src/testing/driver.js";
import { onSharedStores } from "./support/stores.js";

const FENCE = /^\d{19}$/;
const page = readFileSync(new URL("../packages/core/README.md", import.meta.url), "utf8");

/** The first block of a language in the README of core that mentions a fence. */
function block(language: string): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))];
  return blocks.map(([, code = ""]) => code).find((code) => /fence/i.test(code)) ?? "";
}

/** Every path by which a fence leaves ojm shows the same text, and later fences sort after earlier ones. */
async function fencesCompareAsTexts(options: JobManagerOptions): Promise<void> {
  await using manager = await openJobManager(options);
  const fences: string[] = [];
  for (let i = 0; i < 12; i++) {
    const { record } = await manager.run("job", async (run) => {
      const [held] = await manager.heldLocks();
      expect([run.fence, held?.fence]).toEqual([expect.stringMatching(FENCE), run.fence]);
      fences.push(run.fence);
    });
    expect(record.fence).toBe(fences.at(-1));
  }
  expect(fences).toEqual(fences.toSorted());
  expect(fences.map(BigInt)).toEqual(fences.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)));
  const lock = await manager.channels.locks.set("key", { name: "key" } as never);
  expect(lock).toMatch(FENCE);
  expect((await manager.channels.locks.entry("key"))?.version).toBe(lock);
  expect(lock > (fences.at(-1) ?? "")).toBe(true);
}

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("fences have one width on every path, and sort as texts", async () => {
    await fencesCompareAsTexts(await create());
  });
});

it("fences have one width on every path, and sort as texts, in memory", async () => {
  await fencesCompareAsTexts({});
});

it("fences have one width on every path, and sort as texts, on level", async () => {
  const channel = { type: "level", args: { path: join(temporaryFolder(), "store") } };
  await fencesCompareAsTexts({ chJobs: channel, chLocks: channel });
});

it("the record, --json and OJM_FENCE show the same fence", async () => {
  const folder = temporaryFolder();
  const store = ["--store", "sqlite:jobs.db"];
  const { out } = await called(folder, ["exec", "job", ...store, "--", "sh", "-c", "echo fence=$OJM_FENCE"]);
  const [, fence = ""] = /^fence=(\d+)$/m.exec(out) ?? [];
  expect(fence).toMatch(FENCE);
  const shown = await called(folder, ["show", "job", ...store, "--json"]);
  expect(JSON.parse(shown.out)).toMatchObject({ fence });
});

describe("the README of core compares fences", () => {
  const [older, newer] = ["0000000000000000009", "0000000000000000010"];

  it("in SQL, where a late writer changes no row", () => {
    const db = new Database(":memory:");
    db.exec("CREATE TABLE accounts (name TEXT, balance INTEGER, fence TEXT); INSERT INTO accounts VALUES ('a', 0, '')");
    const write = (balance: number, fence: string): number =>
      db.prepare(block("sql")).run({ name: "a", balance, fence }).changes;
    expect([write(1, newer), write(2, older), write(3, newer)]).toEqual([1, 0, 1]);
    expect(db.prepare("SELECT balance FROM accounts").pluck().get()).toBe(3);
    db.close();
  });

  it.each(["sh", "bash"])("in the shell (%s), where a late command ends", async (shell) => {
    const cwd = temporaryFolder();
    const run = (fence: string): Promise<string> =>
      promisify(execFile)(shell, ["-c", block("sh")], { cwd, env: { ...process.env, OJM_FENCE: fence } }).then(
        () => "done",
        ({ stderr }: { stderr: string }) => stderr,
      );
    const late = "a later run has begun\n";
    expect([await run(older), await run(newer), await run(older), await run(newer)]).toEqual([
      "done",
      "done",
      late,
      "done",
    ]);
  });
});
