import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openChannel } from "@ojm/core";
import { Log, type RunControl, runJobFile } from "@ojm/ojob";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { folderWith } from "@ojm/testing/folder";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { afterAll } from "vitest";
import { prepareType } from "../../packages/cli/src/backends.js";
import { fromYaml, toYaml } from "../../packages/ojob/src/load/yaml/yaml.js";
import { GUIDE } from "../../packages/ojob/src/testing/guide.js";

/** A YAML block of the guide, under its heading. */
export interface Block {
  readonly heading: string;
  readonly text: string;
}

/** All YAML blocks of a guide by their headings. Empty if the guide is missing. */
export function blocksByHeading(guide: string | undefined = GUIDE): Map<string, Block> {
  const blocks = new Map<string, Block>();
  let heading = "";
  const text = guide === undefined ? "" : readFileSync(guide, "utf8");
  for (const match of text.matchAll(/^#+ (.*)$|^```yaml\n((?:.*\n)*?)```$/gm)) {
    if (match[1] !== undefined) heading = match[1];
    // A comment in a script looks like a heading, but only outside of a block is it one: the pattern takes
    // blocks as a whole.
    else blocks.set(heading, { heading, text: match[2] ?? "" });
  }
  return blocks;
}

/** The options with which a channel of the manager is opened. */
interface ChannelConfig {
  readonly type: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A store that the guide's blocks are run on. */
export interface Store {
  readonly name: string;
  readonly missing?: string | undefined;
  open(): Promise<{ readonly chJobs: ChannelConfig; readonly chLocks: ChannelConfig }>;
}

function both(type: string, args: ChannelConfig["args"]) {
  return { chJobs: { type, args }, chLocks: { type, args } };
}

/** Servers that all tests of a file share. */
const servers = new Map<string, Promise<{ stop(): Promise<void> }>>();

afterAll(async () => {
  for (const server of servers.values()) await (await server).stop();
});

function shared<S extends { stop(): Promise<void> }>(name: string, start: () => Promise<S>): Promise<S> {
  const server = (servers.get(name) as Promise<S> | undefined) ?? start();
  servers.set(name, server);
  return server;
}

export const stores: readonly Store[] = [
  { name: "simple", open: async () => both("simple", {}) },
  { name: "level", open: async () => both("level", { path: "./data/ojm" }) },
  {
    name: "sqlite",
    // Its paths are those that the guide prints.
    open: async () => ({
      chJobs: { type: "db", args: { file: "./data/jobs.db" } },
      chLocks: { type: "db", args: { file: "./data/locks.db" } },
    }),
  },
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    open: async () => both("redis", { url: (await shared("redis", startRedis)).url, deadline: 30_000 }),
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    open: async () => both("etcd", { hosts: (await shared("etcd", startEtcd)).host, deadline: 30_000 }),
  },
  {
    name: "postgres",
    missing: postgresMissing(),
    open: async () => both("postgres", { url: (await shared("postgres", startPostgres)).url, deadline: 30_000 }),
  },
];

/** The parts that a block leaves out on purpose. */
export interface Additions {
  /** JavaScript that defines the functions that the block only names. */
  readonly load?: string;
  /** Replacements in the text: data for `[...]`, a shorter cron, a shorter sleep. */
  readonly replace?: readonly (readonly [what: string, by: string])[];
  /** Files that a fragment includes. */
  readonly include?: readonly string[];
  /** Files beside the job file. */
  readonly files?: Readonly<Record<string, string>>;
  /** Jobs around a fragment. */
  readonly jobs?: readonly object[];
  /** Of a fragment. */
  readonly todo?: readonly unknown[];
  /** The channels that the block opens in the store of the manager. */
  readonly channels?: readonly string[];
  /** The text that the output must have before a daemon is asked to end. */
  readonly until?: (out: string) => boolean;
}

/** The job whose script a block is, if the block is only a script. */
export const FRAGMENT = "Fragment";

/** The result of running a block. */
export interface Played {
  /** Whether all jobs went well. */
  readonly well: boolean;
  readonly out: string;
  readonly err: string;
  /** The messages of the log lines. */
  readonly log: readonly string[];
  /** Name, status and error of each run, newest first, as they are when all is over. */
  readonly records: readonly string[];
  /** The names of the locks that are held when all is over. */
  readonly held: readonly string[];
  /** Files in the working directory, which was empty and is not the folder of the job file. */
  readonly strays: readonly string[];
}

interface JobFile {
  include?: string | string[];
  /** Of a block that is only a script. */
  exec?: string;
  jobs?: { name?: string; exec?: string; to?: unknown; args?: Record<string, unknown> }[];
  todo?: unknown[];
}

const INIT = "oJobManager Init";
const LOOK = `
var manager = name => $ch("oJobManager-" + name);
print("RECORDS " + JSON.stringify(manager("jobs").getAll().map(r => [r.name, r.status].concat(r.error || []).join(" "))));
print("HELD " + JSON.stringify(manager("locks").getKeys().filter(k => k[0] == "lock" && k.length == 2).map(k => k[1])));
`;

/** The text of a block with replacements, each of which must find something. */
export function replaced(block: Block, replace: Additions["replace"] = []): string {
  let { text } = block;
  for (const [what, by] of replace) {
    if (!text.includes(what)) throw new Error(`"${block.heading}" holds no ${what}`);
    text = text.replaceAll(what, by);
  }
  return text;
}

/**
 * The block as a complete job file whose manager uses this store, and which shows its records and locks at
 * the end.
 */
function complete(block: Block, config: object, { replace, include = [], jobs = [], todo }: Additions): string {
  const file = fromYaml(replaced(block, replace)) as JobFile;
  file.include = [...new Set([file.include ?? [], include, "oJobManager.yaml"].flat())];
  if (file.exec !== undefined) file.jobs = [{ name: FRAGMENT, exec: file.exec }];
  delete file.exec;
  const own = (file.jobs ?? []).find(({ to }) => to === INIT);
  const usesInit = own !== undefined || (file.todo ?? []).includes(INIT);
  if (own !== undefined) own.args = { ...own.args, ...config };
  const items = (todo ?? file.todo ?? []).map((item) => (item === INIT ? { name: INIT, args: config } : item));
  file.jobs = [...(file.jobs ?? []), ...(jobs as []), { name: "Look", type: "shutdown", exec: LOOK } as object];
  file.todo = [...(usesInit ? [] : [{ name: INIT, args: config }]), ...items, "Look"];
  return toYaml(file);
}

/** Runs a block with its missing parts, in this process, with these packages for its scripts. */
export async function play(
  block: Block,
  store: Store,
  additions: Additions,
  packages: readonly string[] = [],
): Promise<Played> {
  const config = await store.open();
  const text = complete(block, config, additions);
  const folder = folderWith({
    ...{ "jobs.yaml": text, "functions.js": additions.load ?? "", out: "", err: "" },
    ...additions.files,
  });
  const path = (name: string): string => join(folder, name);
  const [home, here] = [process.cwd(), folderWith({})];
  const fds = [openSync(path("out"), "w"), openSync(path("err"), "w")] as const;
  const log = new Log(...fds);
  const { until } = additions;
  let watch: NodeJS.Timeout | undefined;
  const onStart = (control: RunControl): void => {
    if (until === undefined) return;
    watch = setInterval(() => {
      if (!until(readFileSync(path("out"), "utf8"))) return;
      clearInterval(watch);
      control.stop("it did enough");
    }, 20);
  };
  try {
    process.chdir(here);
    const loads = [path("functions.js"), ...packages];
    const well = await runJobFile(path("jobs.yaml"), { log, loads, prepare: prepareType, onStart });
    await log.flush();
    const [out, err] = [readFileSync(path("out"), "utf8"), readFileSync(path("err"), "utf8")];
    const lines = out.split("\n");
    const shown = (mark: string): string[] => {
      const line = lines.find((one) => one.startsWith(mark));
      if (line === undefined) throw new Error(`nothing was shown in the end:\n${out}\n${err}`);
      return JSON.parse(line.slice(mark.length)) as string[];
    };
    const messages = lines.flatMap((line) => / \| [A-Z]+ *\| (.*)/.exec(line)?.[1] ?? []);
    const strays = readdirSync(here);
    return { well, out, err, log: messages, records: shown("RECORDS "), held: shown("HELD "), strays };
  } finally {
    process.chdir(home);
    clearInterval(watch);
    for (const fd of fds) closeSync(fd);
    // The next block begins with an empty store, even on a server.
    if (!("path" in config.chJobs.args) && !("file" in config.chJobs.args)) {
      const own = ["jobs", "locks", "times", "schedules", "logs", "queues"].map((name) => `oJobManager-${name}`);
      for (const name of [...own, ...(additions.channels ?? [])])
        await (await openChannel(name, config.chJobs)).destroy();
    }
  }
}
