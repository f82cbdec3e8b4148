import { closeSync, cpSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { folderWith } from "@ojm/testing/folder";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { ojm, start } from "../packages/cli/src/testing/ojm.js";
import { checkJobFile, Log, openManagerOf, type RunFileOptions, runJobFile } from "../packages/ojob/src/index.js";
import { commandLines } from "./support/command-lines.js";

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));
const GUIDE = join(EXAMPLES, "guide");
const INDEX = readFileSync(join(GUIDE, "README.md"), "utf8");

const files = readdirSync(GUIDE).filter((name) => name.endsWith(".yaml"));

/** A session of the index: a file, and its output. */
interface Session {
  readonly file: string;
  readonly prints: string;
  readonly code: number;
  /** Whether Ctrl-C ends it. */
  readonly isDaemon: boolean;
}

const sessions: readonly Session[] = [...INDEX.matchAll(/^```console\n\$ [^\n]* run (\S+)\n(.*?)^```$/gms)].map(
  ([, path = "", shown = ""]) => {
    const [prints = "", code = "0"] = shown.replace(/^\^C\n/m, "").split(/^\$ echo \$\?\n/m);
    return { file: basename(path), prints, code: Number(code), isDaemon: shown.endsWith("^C\n") };
  },
);

/**
 * The jobs of these end in any order, and the holder of a lock may be notified of its loss before the unlock
 * returns.
 */
const IN_ANY_ORDER = ["pattern-4-launching.yaml", "force-unlock.yaml"];

/** An output without the parts that differ from run to run, and without the banners of jobs. */
function comparable(file: string, text: string): string[] {
  const lines = text
    .replace(/^(?:>>|<<|--) .*\n/gm, "")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\b\d+ ms\b/g, "MS")
    .replace(/which \S+, pid \d+, held/, "which HOST, pid PID, held")
    .replace(/\([^\s()]*\/(?=[\w-]+\.yaml:)/g, "(")
    .trimEnd()
    .split("\n");
  return IN_ANY_ORDER.includes(file) ? lines.sort() : lines;
}

interface Store {
  readonly name: string;
  readonly missing?: string | undefined;
  /**
   * Starts its server. Resolves to the address in the example, the real address of the server, and a function
   * that stops it.
   */
  server?(): Promise<{ readonly named: string; readonly actual: string; stop(): Promise<void> }>;
}

const stores: readonly Store[] = [
  { name: "memory" },
  { name: "level" },
  { name: "sqlite" },
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async server() {
      const server = await startRedis();
      return { named: "redis://127.0.0.1:6379", actual: server.url, stop: () => server.stop() };
    },
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async server() {
      const server = await startEtcd();
      return { named: "127.0.0.1:2379", actual: server.host, stop: () => server.stop() };
    },
  },
  {
    name: "postgres",
    missing: postgresMissing(),
    async server() {
      const server = await startPostgres();
      const named = "postgres://postgres@127.0.0.1:5432/postgres";
      return { named, actual: server.url, stop: () => server.stop() };
    },
  },
];

/** A tick half a year from now: a run must not meet one by chance. */
const FAR = `cron: "0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *"`;

/** Lines of `Init` that name its store. */
const STORE_LINES = /^ +chJobs: .*\n +chLocks: .*\n/m;

/** How many jobs have begun (`>>`), or ended (`<<`). */
function banners(text: string, mark: string): number {
  return text.split("\n").filter((line) => line.startsWith(mark)).length;
}

/** Runs a file in this process. Resolves to the exit code once it has ended. */
async function run(path: string, { prints, isDaemon, file }: Session): Promise<{ well: boolean; shown: string[] }> {
  const out = `${path}.out`;
  const fd = openSync(out, "w");
  // As on a terminal, both outputs keep one order.
  const log = new Log(fd, fd);
  const text = (): string => readFileSync(out, "utf8");
  let stop: ((reason: string) => void) | undefined;
  const onStart: RunFileOptions["onStart"] = (control) => {
    stop = (reason) => control.stop(reason);
  };
  try {
    const ended = runJobFile(path, { log, prepare: prepareType, onStart });
    if (isDaemon) {
      await expect.poll(() => comparable(file, text())).toEqual(comparable(file, prints));
      // All jobs have ended too: none is cut off.
      await expect.poll(() => banners(text(), ">>") - banners(text(), "<<")).toBe(0);
      stop?.("SIGINT");
    }
    const well = await ended;
    await log.flush();
    return { well, shown: comparable(file, text()) };
  } finally {
    stop?.("the test is over");
    await log.flush();
    closeSync(fd);
  }
}

describe("the index of the examples of the guide", () => {
  it("the index, the folder and the sessions of the index name the same files", () => {
    const rows = [...INDEX.matchAll(/^\| .* \| \[(.+)\]\((.+)\) \| .+ \|$/gm)].map(([, name, link]) => [name, link]);
    expect(rows).toEqual(sessions.map(({ file }) => [file, file]));
    expect(sessions.map(({ file }) => file).sort()).toEqual(files);
  });

  it("the index names each file whose exit code is not 0, and each that Ctrl-C ends", () => {
    for (const { file, code, isDaemon } of sessions) {
      const [row = ""] = new RegExp(`^\\| .*\\(${file}\\) .*$`, "m").exec(INDEX) ?? [];
      expect([file, row.includes("Ctrl-C")]).toEqual([file, isDaemon]);
      expect([file, row.includes(`exit code ${code} |`)]).toEqual([file, code !== 0]);
      const [first] = commandLines(file, readFileSync(join(GUIDE, file), "utf8"));
      expect([file, first?.words, first?.code]).toEqual([file, ["run", `examples/guide/${file}`], code]);
    }
  });

  it.each(files)("the example %s passes ojm check --strict", async (file) => {
    await expect(checkJobFile(join(GUIDE, file), { prepare: prepareType, strict: true })).resolves.toBeDefined();
  });
});

for (const { name, missing, server } of stores) {
  const tags = name === "sqlite" ? [] : ["full"];
  describe.skipIf(missing !== undefined)(
    `the examples of the guide on ${name}${missing ? `: ${missing}` : ""}`,
    { tags },
    () => {
      let folder = "";
      let stop: (() => Promise<void>) | undefined;
      let lines = "";

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "ojm-guide-"));
        cpSync(GUIDE, join(folder, "guide"), { recursive: true, filter: (path) => !/\/(data|logs)$/.test(path) });
        const started = await server?.();
        stop = started?.stop;
        const init = readFileSync(join(EXAMPLES, `init/${name}.yaml`), "utf8");
        lines = (STORE_LINES.exec(init)?.[0] ?? "").replaceAll(started?.named ?? " ", started?.actual ?? " ");
      });
      afterAll(async () => {
        await stop?.();
        rmSync(folder, { recursive: true, force: true });
      });

      const isBefore = ({ file }: Session): boolean => name === "memory" && file.startsWith("queue");
      it.skip.each(sessions.filter(isBefore).map(({ file }) => file))(
        "the example %s: a queue in memory takes no item before its worker has begun",
        () => {},
      );

      it.each(sessions.filter((session) => !isBefore(session)).map((session) => [session.file, session] as const))(
        "the example %s prints what the index says",
        async (_file, session) => {
          const path = join(folder, "guide", session.file);
          const text = readFileSync(path, "utf8").replace(/cron: ".*?"/g, FAR);
          expect(text).toMatch(STORE_LINES);
          // SQLite is the store that the files name.
          writeFileSync(path, name === "sqlite" ? text : text.replace(STORE_LINES, lines));
          const { well, shown } = await run(path, session);
          expect(shown).toEqual(comparable(session.file, session.prints));
          if (!session.isDaemon) expect(well ? 0 : 1).toBe(session.code);
          await using manager = await openManagerOf(path, {}, prepareType);
          expect((await manager?.heldLocks()) ?? []).toEqual([]);
        },
      );
    },
  );
}

/** A folder with one example, changed. */
function folder(file: string, ...replace: readonly (readonly [string, string])[]): string {
  let text = readFileSync(join(GUIDE, file), "utf8");
  for (const [what, by] of replace) {
    expect(text).toContain(what);
    text = text.replace(what, by);
  }
  return folderWith({ [file]: text });
}

/** The messages of log lines. */
function logged(out: string): string[] {
  return out.split("\n").flatMap((line) => / \| [A-Z]+ *\| (.*)/.exec(line)?.[1] ?? []);
}

/** The last runs: names and states, newest first. */
async function runs(where: string, file: string): Promise<string[]> {
  const { out } = await ojm(where, "runs", "--store", file, "--json");
  return (JSON.parse(out) as { name: string; status: string }[]).map(({ name, status }) => `${name} ${status}`);
}

describe("the examples of the guide, in processes of their own", () => {
  const documented = files.flatMap((file) => {
    const lines = commandLines(file, readFileSync(join(GUIDE, file), "utf8"));
    return lines
      .flatMap(({ words }) => words.flatMap((word) => /^(\w+)=/.exec(word)?.[1] ?? []))
      .map((key) => [file, key]);
  });

  it.each(documented)(
    "the example %s uses its documented argument %s, and no job overrides it",
    (file = "", key = "") => {
      const jobs = readFileSync(join(GUIDE, file), "utf8").replace(/^#.*$/gm, "");
      expect(jobs).not.toMatch(new RegExp(`^ +args:.*\\b${key}:`, "m"));
      expect(jobs).toMatch(new RegExp(`args\\.${key}\\b|\\$\\{${key}\\b`));
    },
  );

  it("the example cleanup.yaml keeps the runs that ended within the keepDays of the command line", {
    tags: ["full"],
  }, async () => {
    const file = "cleanup.yaml";
    const where = folder(file);
    const cleanUp = async (days: number): Promise<string[]> => {
      const daemon = start(where, "run", file, `keepDays=${days}`);
      await daemon.prints("Left: ");
      daemon.process.kill("SIGINT");
      expect((await daemon.ended).code).toBe(130);
      return logged(daemon.out).slice(-2);
    };
    expect(await cleanUp(30)).toEqual(["Records removed, older than 30 days: 0", "Left: new-import, old-import"]);
    // The old record of the first process, and that of the second one.
    expect(await cleanUp(7)).toEqual(["Records removed, older than 7 days: 2", "Left: new-import"]);
  });

  it("the example pattern-2-schedule.yaml runs at each tick, and force-unlock.yaml finds nothing to unlock then", {
    tags: ["full"],
  }, async () => {
    const file = "pattern-2-schedule.yaml";
    const where = folder(file, ["0 * * * *", "* * * * * *"]);
    const daemon = start(where, "run", file);
    await expect.poll(() => daemon.out.split("swept").length).toBeGreaterThan(3);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
    expect((await runs(where, file)).filter((run) => !/ (completed|cancelled)$/.test(run))).toEqual([]);
    const { code, out } = await unlock(where);
    expect([code, logged(out).at(-1)]).toEqual([0, 'the lock "hourly-sweep" is free']);
  });

  it("the example force-unlock.yaml takes the lock of another process, whose run is closed as cancelled", {
    tags: ["full"],
  }, async () => {
    const file = "pattern-2-schedule.yaml";
    // The first run holds the lock until it loses it.
    const where = folder(file, ["timeout: 3000000", "timeout: 3600000"], ["sleep(200,", "sleep(3600000,"]);
    const daemon = start(where, "run", file);
    await daemon.prints("sweeping");
    expect(await runs(where, file)).toEqual(["hourly-sweep running"]);
    const { code, out } = await unlock(where);
    expect([code, logged(out)]).toEqual([0, [expect.stringMatching(/^unlocked "hourly-sweep", which .* held$/)]]);
    expect(await runs(where, file)).toEqual(["hourly-sweep cancelled"]);
    await expect.poll(() => daemon.err).toContain('the lock "hourly-sweep" is lost');
    daemon.process.kill("SIGTERM");
    await daemon.ended;
  });

  it("the example complete-example.yaml runs one step after the other, night after night", {
    tags: ["full"],
  }, async () => {
    const file = "complete-example.yaml";
    const where = folder(file, ['cron: "0 2 * * *"', 'cron: "*/2 * * * * *"']);
    const daemon = start(where, "run", file);
    await expect.poll(() => daemon.out.split("loaded 1, 2, 3").length).toBeGreaterThan(3);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
    // On a slow machine, a night may begin before the last one is over, but each step still follows the
    // previous step of its own night.
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

/** Runs the example force-unlock.yaml on the lock of another one, in whose folder it is put. */
async function unlock(where: string): ReturnType<typeof ojm> {
  writeFileSync(join(where, "force-unlock.yaml"), readFileSync(join(GUIDE, "force-unlock.yaml")));
  return await ojm(where, "run", "force-unlock.yaml", "jobName=hourly-sweep");
}
