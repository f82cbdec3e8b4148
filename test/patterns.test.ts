import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folderWith, ojm, start } from "../packages/cli/src/testing/ojm.js";

const PATTERNS = fileURLToPath(new URL("../examples/patterns/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));
const files = readdirSync(PATTERNS);

/** The arguments of all command lines that the examples tell in their comments: file and key. */
function documented(): [string, string][] {
  const names = [...readdirSync(EXAMPLES), ...files.map((file) => `patterns/${file}`)].filter((name) =>
    /\.yaml$/.test(name),
  );
  return names.flatMap((name) =>
    (readFileSync(join(EXAMPLES, name), "utf8").match(/^#.*ojm run .*$/gm) ?? []).flatMap((line) =>
      [...line.matchAll(/(\w+)=\S/g)].map(([, key = ""]): [string, string] => [name, key]),
    ),
  );
}

function folder(file: string, replace: readonly [string, string] = ["", ""]): string {
  return folderWith({ "jobs.yaml": readFileSync(join(PATTERNS, file), "utf8").replace(...replace) });
}

/** The messages of log lines. */
function logged(out: string): string[] {
  return out.split("\n").flatMap((line) => / \| [A-Z]+ *\| (.*)/.exec(line)?.[1] ?? []);
}

/** The last runs: names and states, sorted. */
async function runs(where: string): Promise<string[]> {
  const { out } = await ojm(where, "history", "jobs.yaml");
  const rows = out.split("\n").slice(2, -1);
  return rows
    .map((row) => row.split(/ {2,}/))
    .map(([name, , status]) => `${name} ${status}`)
    .sort();
}

/** Runs the pattern unlock.yaml on the store of another pattern, in whose folder it is put. */
async function unlock(where: string): ReturnType<typeof ojm> {
  writeFileSync(join(where, "unlock.yaml"), readFileSync(join(PATTERNS, "unlock.yaml")));
  return await ojm(where, "run", "unlock.yaml", "lock=sweep-the-desk");
}

describe("the examples of patterns", () => {
  it.each(files)("the pattern %s passes ojm check --strict", async (file) => {
    const { code, err } = await ojm(folder(file), "check", "jobs.yaml", "--strict", "lock=x");
    expect([code, err]).toEqual([0, ""]);
  });

  it("the pattern launching.yaml runs each launched job under a lock of its own", async () => {
    const where = folder("launching.yaml");
    const { code, out } = await ojm(where, "run", "jobs.yaml");
    expect(code).toBe(0);
    expect(
      logged(out)
        .filter((line) => line.includes("letters for"))
        .sort(),
    ).toEqual(["2 letters for bo", "3 letters for dan", "4 letters for anna", "4 letters for cleo"]);
    expect(await runs(where)).toEqual(["anna", "bo", "cleo", "dan"].map((to) => `deliver-to-${to} completed`));
  });

  it("the pattern error-handling.yaml records and reports an error, and the other jobs go on", async () => {
    const where = folder("error-handling.yaml");
    const { code, out } = await ojm(where, "run", "jobs.yaml");
    expect(code).toBe(1);
    expect(logged(out)).toEqual([
      "so far, so good",
      "cleaning up after Fragile",
      "somebody should look at this: the glass broke",
      "a job that failed keeps no other from running",
    ]);
    expect(await runs(where)).toEqual(["fragile failed", "robust completed"]);
  });

  it("the pattern dependencies.yaml runs jobs in the order of their dependencies, not in that of the todo", async () => {
    const { code, out } = await ojm(folder("dependencies.yaml"), "run", "jobs.yaml");
    expect(code).toBe(0);
    expect(logged(out).filter((line) => line !== "it is fine")).toEqual(["ground", "walls", "roof"]);
  });

  it("the pattern monitoring.yaml reports the recorded runs, and forgets old ones", async () => {
    const { code, out } = await ojm(folder("monitoring.yaml"), "run", "jobs.yaml");
    expect(code).toBe(0);
    expect(logged(out)).toEqual(["0 runs are recorded, 0 are going on", "forgot 0 runs"]);
  });

  it("the pattern monitoring.yaml keeps the runs that ended within the keepDays of the command line", async () => {
    const where = folder("monitoring.yaml");
    const text = readFileSync(join(PATTERNS, "monitoring.yaml"), "utf8");
    const ended = Date.now() - 10 * 86_400_000;
    const holder = { host: "elsewhere", pid: 1, instance: "1-gone" };
    const began = { name: "old", startTime: ended, startDate: "", holder, trigger: "unknown", timeout: 1_000 };
    const record = { ...began, endTime: ended, status: "completed", inError: false };
    const set = `$ch("oJobManager-jobs").set({ name: "old", startTime: ${ended} }, ${JSON.stringify(record)})`;
    const plant = `  - { name: Plant, exec: '${set}' }`;
    const planting = text
      .replace("jobs:\n", `jobs:\n${plant}\n`)
      .replace(/^todo: .*$/m, "todo: [Open the store, Plant]");
    writeFileSync(join(where, "plant.yaml"), planting);
    expect(await ojm(where, "run", "plant.yaml")).toMatchObject({ code: 0 });
    for (const [days, forgot] of [
      [30, 0],
      [7, 1],
    ] as const) {
      const { out } = await ojm(where, "run", "jobs.yaml", `keepDays=${days}`);
      expect([days, logged(out).at(-1)]).toEqual([days, `forgot ${forgot} runs`]);
    }
  });

  it.each(documented())("the example %s uses its documented argument %s, and no job overrides it", (file, key) => {
    const jobs = readFileSync(join(EXAMPLES, file), "utf8").replace(/^#.*$/gm, "");
    expect(jobs).not.toMatch(new RegExp(`^ +args:.*\\b${key}:`, "m"));
    expect(jobs).toMatch(new RegExp(`args\\.${key}\\b|\\{\\{ *${key}\\b|\\$\\{?${key}\\b|args\\[["']${key}`));
  });

  it("the pattern languages.yaml says hello in each language", async () => {
    const { code, out } = await ojm(folder("languages.yaml"), "run", "jobs.yaml", "who=world");
    expect(code).toBe(0);
    expect(out).toBe(`hello world, from the shell\nhello from Node ${process.versions.node.split(".")[0]}\n`);
  });

  it("the pattern scheduled.yaml runs at each tick, and unlock.yaml finds nothing to unlock afterwards", async () => {
    const where = folder("scheduled.yaml", ["*/10 * * * * *", "* * * * * *"]);
    const daemon = start(where, "run", "jobs.yaml");
    await expect.poll(() => daemon.out.split("swept").length).toBeGreaterThan(2);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
    expect((await runs(where)).filter((run) => !/ (completed|cancelled)$/.test(run))).toEqual([]);
    const { code, out } = await unlock(where);
    expect([code, logged(out).at(-1)]).toEqual([0, "there was nothing to unlock"]);
  });

  it("the pattern unlock.yaml takes a held lock: the holder is told, and its run is closed as cancelled", async () => {
    const where = folder("scheduled.yaml", ["*/10 * * * * *", "* * * * * *"]);
    const file = join(where, "jobs.yaml");
    // The first run holds the lock until somebody takes it.
    const endless = readFileSync(file, "utf8").replace("timeout: 8000", "timeout: 3600000").replace("300,", "3600000,");
    writeFileSync(file, endless);
    const daemon = start(where, "run", "jobs.yaml");
    await daemon.prints("sweeping");
    expect(await runs(where)).toEqual(["sweep-the-desk running"]);
    const { code, out } = await unlock(where);
    expect([code, logged(out)]).toEqual([0, [expect.stringMatching(/^unlocked "sweep-the-desk", which .* held$/)]]);
    expect(await runs(where)).toContain("sweep-the-desk cancelled");
    await expect.poll(() => daemon.err).toContain('the lock "sweep-the-desk" is lost');
    daemon.process.kill("SIGTERM");
    await daemon.ended;
  });

  it("the pattern nightly-batch.yaml runs one step after the other, night after night", async () => {
    const where = folder("nightly-batch.yaml", ['cron: "0 2 * * *"', 'cron: "*/2 * * * * *"']);
    const daemon = start(where, "run", "jobs.yaml");
    await expect.poll(() => daemon.out.split("loaded 1, 2, 3").length, { timeout: 90_000 }).toBeGreaterThan(2);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
    // On a slow machine a night may begin before the last one is over: each step still comes after its own.
    const done: Record<string, number> = { extracted: 0, transformed: 0, loaded: 0 };
    for (const line of logged(daemon.out)) {
      const step = line.split(" ")[0] ?? "";
      done[step] = (done[step] ?? 0) + 1;
      expect([done["extracted"], done["transformed"], done["loaded"]]).toSatisfy(
        ([e, t, l]: number[]) => Number(e) >= Number(t) && Number(t) >= Number(l),
      );
    }
  });
});
