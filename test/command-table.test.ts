import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JobManager, type OpenOptions, openJobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { commands } from "../packages/cli/src/command-line/commands.js";
import { called } from "../packages/cli/src/testing/called.js";
import { readPrinted } from "../packages/cli/src/testing/printed-json.js";
import { folderWithStore } from "./support/store-config.js";

/** How a command is called on a store after {@link prepare}. */
interface Call {
  readonly words: readonly string[];
  /** The exit codes that it may have. Default: 0. */
  readonly codes?: readonly number[];
  /** Whether it reports its action on stderr, because its output is data. */
  readonly tells?: true;
}

const REASON = ["--reason", "the test says so"];

/** An export without runs. */
const EMPTY =
  '{"format":"ojm-export","version":1,"ojm":"0.1.0","store":"simple","at":"2026-11-27T00:00:00.000Z"}\n{"end":true}\n';

/** They run until the user ends them, on a terminal or in a browser, and have tests of their own. */
const LIVE: readonly string[] = ["top", "ui"];

/** Stands for the id of a delayed item; with a 2 behind it, for that of another one. */
const ITEM = "ITEM";

/** Each command that opens a store, in an order in which each finds the data that it needs. */
const calls: Readonly<Record<string, readonly Call[]>> = {
  ps: [{ words: [] }],
  jobs: [{ words: [] }],
  next: [{ words: [] }, { words: ["report", "-n", "3"] }],
  why: [{ words: ["obedient"] }, { words: ["report"] }],
  ticks: [{ words: ["report"] }, { words: ["report", "--not-run"] }],
  runs: [{ words: [] }, { words: ["failed", "--failed"] }],
  show: [{ words: ["failed"] }],
  logs: [{ words: ["failed"] }],
  diff: [{ words: ["failed", "failed"] }],
  wait: [{ words: ["failed"], codes: [1] }],
  history: [{ words: [] }],
  locks: [{ words: [] }],
  doctor: [{ words: [], codes: [0, 1] }],
  exec: [{ words: ["command", "--", "true"] }],
  "run-now": [{ words: ["report", ...REASON] }],
  cancel: [{ words: ["obedient", "--dry-run"] }, { words: ["obedient", "--wait", "60s", ...REASON] }],
  unlock: [{ words: ["stuck", "--dry-run"] }, { words: ["stuck", ...REASON] }],
  limit: [{ words: [] }, { words: ["stripe", "2"] }],
  hold: [{ words: ["another", "--new", ...REASON] }],
  pause: [{ words: ["report", ...REASON] }],
  resume: [{ words: ["report", ...REASON] }],
  backfill: [
    { words: ["report", "--from", "3h", ...REASON] },
    { words: ["report", "--status"] },
    { words: ["report", "--stop", ...REASON], codes: [0, 3] },
  ],
  audit: [{ words: [] }, { words: ["report"] }],
  prune: [{ words: ["--older-than", "1h", "--dry-run"] }, { words: ["--older-than", "1h"] }],
  export: [{ words: [], tells: true }],
  import: [{ words: ["export.jsonl"] }],
  "maintenance on": [{ words: ["re*", "--dry-run", ...REASON] }, { words: ["re*", ...REASON] }],
  "maintenance status": [{ words: [] }],
  "maintenance off": [{ words: REASON }],
  "queue ls": [{ words: [] }],
  "queue show": [{ words: ["mail"] }, { words: ["mail", ITEM] }],
  "queue dead": [{ words: ["mail"] }],
  "queue add": [{ words: ["mail", "1"] }],
  "queue retry": [{ words: ["mail", ITEM] }],
  "queue work": [{ words: ["mail", "--drain", "--", "cat"] }],
  "queue discard": [{ words: ["mail", `${ITEM}2`, ...REASON] }],
  "queue redrive": [{ words: ["mail"] }],
  "queue define": [{ words: ["mail", "--attempts", "3"] }],
  "queue purge": [{ words: ["mail", "--state", "dead", ...REASON] }],
  "queue pause": [{ words: ["mail", ...REASON] }],
  "queue resume": [{ words: ["mail"] }],
  // Last: the process that had the schedule warns of it.
  schedules: [{ words: ["rm", "retired", ...REASON] }],
};

/** The data that the commands read and change. Resolves to the ids of the items, by their placeholders. */
async function prepare(manager: JobManager, scheduler: Scheduler): Promise<ReadonlyMap<string, string>> {
  const body = (run: { readonly log: { info(text: string): void } }): never => {
    run.log.info("begun");
    throw new Error("no orders");
  };
  await manager.run("failed", body).catch(() => {});
  const isLogged = async (): Promise<boolean> => {
    for await (const run of manager.history({ name: "failed" })) for await (const _ of manager.log(run)) return true;
    return false;
  };
  await expect.poll(isLogged).toBe(true);
  const run = await manager.start("obedient");
  run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  await manager.start("stuck");
  for (const name of ["report", "retired"]) await scheduler.add(name, { every: 3_600_000, missed: "none" }, () => {});
  await using queues = openQueues(manager);
  const ids = new Map<string, string>();
  for (const one of [ITEM, `${ITEM}2`]) ids.set(one, (await queues.add("mail", one, { delay: "1h" })).id);
  return ids;
}

interface Store {
  readonly name: string;
  readonly missing?: string | undefined;
  /** Opens an empty store. */
  create(): Promise<OpenOptions>;
  /** A missing store, and its exit code. */
  away(): { readonly options: OpenOptions; readonly code: number };
}

/**
 * A store in a file cannot be unreachable, only missing, and a command that only reads does not create it.
 */
const onDisk = (type: string, option: string): Store => ({
  name: type,
  create: async () => ({ type, args: { [option]: join(temporaryFolder(), "store") } }),
  away: () => ({ options: { type, args: { [option]: join(temporaryFolder(), "none") } }, code: 2 }),
});

const DEADLINE = 30_000;

/** Port 1 refuses each connection: the shortest deadline is enough to see that. */
const SHORT = 200;

const stores: readonly Store[] = [
  onDisk("level", "path"),
  onDisk("sqlite", "file"),
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async create() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return { type: "redis", args: { url: server.url, deadline: DEADLINE } };
    },
    away: () => ({ options: { type: "redis", args: { url: "redis://127.0.0.1:1", deadline: SHORT } }, code: 5 }),
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async create() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return { type: "etcd", args: { hosts: server.host, deadline: DEADLINE } };
    },
    away: () => ({ options: { type: "etcd", args: { hosts: "127.0.0.1:1", deadline: SHORT } }, code: 5 }),
  },
];

/** A folder with this store, filled with data for the commands. */
function folderFor(options: OpenOptions): string {
  const folder = folderWithStore({ chJobs: options, chLocks: options });
  writeFileSync(join(folder, "export.jsonl"), EMPTY);
  return folder;
}

const printsJson = (command: string): boolean => commands.get(command)?.options["json"] !== undefined;

/** The words with `--json`, before those of another command. */
function withJson(command: string, words: readonly string[]): readonly string[] {
  const all = [...command.split(" "), ...words];
  return printsJson(command) ? [...all, "--json"] : all;
}

it("the test calls each command that opens a store", () => {
  // The command that shells call ends its process at once, and has tests of its own.
  const opening = [...commands.values()].filter(({ options, hidden }) => options["store"] && hidden === undefined);
  expect([...Object.keys(calls), ...LIVE].sort()).toEqual(opening.map(({ name }) => name).sort());
});

for (const { name, missing, create, away } of stores) {
  describe.skipIf(missing !== undefined)(
    `each command on ${name}${missing === undefined ? "" : `: ${missing}`}`,
    { tags: name === "sqlite" || name === "redis" ? [] : ["full"] },
    () => {
      it("does what it is asked to, in words and in JSON as its schema says", async () => {
        const options = await create();
        const folder = folderFor(options);
        if (options.type !== undefined) await prepareType(options.type);
        await using manager = await openJobManager({ chJobs: options, chLocks: options });
        await using scheduler = openScheduler(manager);
        const ids = await prepare(manager, scheduler);
        for (const [command, all] of Object.entries(calls)) {
          for (const { words, codes = [0], tells } of all) {
            const given = words.map((word) => ids.get(word) ?? word);
            const { code, out, err } = await called(folder, withJson(command, given));
            expect(codes, `ojm ${command} ${words.join(" ")}: ${err}`).toContain(code);
            if (code === 0 && tells === undefined) expect([command, err]).toEqual([command, ""]);
            if (!printsJson(command) || out === "") continue;
            expect([command, readPrinted(command, out).errors]).toEqual([command, []]);
          }
        }
        for (const command of ["jobs", "runs", "locks", "audit", "next"]) {
          const { code, out } = await called(folder, [command]);
          expect([command, code, out.split("\n").length > 2]).toEqual([command, 0, true]);
        }
      });

      it("prints that its store cannot be reached, and where that is explained", async () => {
        const { options, code } = away();
        const folder = folderFor(options);
        for (const [command, [call]] of Object.entries(calls)) {
          // A command that makes its store finds nothing missing.
          if (["exec", "hold", "import", "queue define", "queue add", "queue work"].includes(command) && code === 2)
            continue;
          const ended = await called(folder, withJson(command, call?.words ?? []));
          expect([command, ended]).toMatchObject([command, { code, out: "" }]);
          if (printsJson(command)) expect([command, readPrinted("error", ended.err).errors]).toEqual([command, []]);
          else {
            // A missing store is a wrong path: the message has the remedy already.
            const line = code === 2 ? /^ojm: .+\n$/ : /^ojm: .+\nSee https:\S+errors\.md#[a-z_]+\n$/;
            expect([command, ended.err]).toEqual([command, expect.stringMatching(line)]);
          }
        }
      });
    },
  );
}
