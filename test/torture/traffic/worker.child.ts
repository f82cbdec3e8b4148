import { type JobManager, type OpenOptions, openChannel, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { seeded } from "../../../packages/core/src/testing-kit/test-clock.js";
import type { Order, WorkerConfig } from "../scene/events.js";
import { patiently } from "../scene/patiently.js";
import { takeStock } from "../validate/stock.js";
import { doHarm } from "./harm.js";
import { Jobs } from "./jobs.js";
import { Journal } from "./journal.js";
import { bugOf, observed } from "./observed.js";
import { type Register, Work } from "./work.js";

/*
 * A worker process of a cell: its managers run jobs, and its journal records everything that happens.
 * Argument: a WorkerConfig as JSON.
 */

const LOOPS = 2;

const config = JSON.parse(process.argv[2] ?? "{}") as WorkerConfig;
const journal = new Journal(config.journal);
process.on("uncaughtExceptionMonitor", (error) => journal.write({ e: "error", text: `uncaught ${error.stack}` }));

const { backend, args, records } = config;
const channelOf = async (type: string, args: WorkerConfig["args"]): Promise<OpenOptions> =>
  config.plain ? { type, args } : { backend: await observed(type, journal, config), args };
const channel = await channelOf(backend, args);
const recordChannel = records === undefined ? channel : await channelOf(records.type, records.args);
const clock = bugOf(config.bug)?.clock?.(systemClock) ?? systemClock;
const options = { chJobs: recordChannel, chLocks: channel, ttl: config.ttl, clock };
const work = new Work(config, journal, seeded(config.seed * 1_009 + config.index));
const hasJobs = config.mode === "tick";
// The base version has no queues.
const items =
  config.mode === "queue"
    ? new (await import("./items.js")).Items(config, journal, seeded(config.seed * 1_019 + config.index))
    : undefined;
const jobs = new Jobs(config, journal, seeded(config.seed * 1_013 + config.index));
const register = (await patiently(() => openChannel("torture", channel))) as unknown as Register;
const managers: JobManager[] = [];
for (let i = 0; i < config.managers; i++) managers.push(await patiently(() => openJobManager(options)));
const [first] = managers;

let working: Promise<unknown> | undefined;

function go(): void {
  const loops = managers.flatMap((manager) => Array.from({ length: LOOPS }, () => work.loop(manager, register)));
  const unlocking = config.mode === "force" && config.unlocks && first !== undefined ? [work.unlock(first)] : [];
  working = Promise.all([...loops, ...unlocking]);
  if (hasJobs) jobs.begin(managers);
  items?.begin(managers);
}

const bursts: Promise<void>[] = [];

let closing: Promise<void> | undefined;

/**
 * Closes the managers. With `atOnce`, open runs are asked to end; otherwise they may end by themselves
 * first.
 */
function close(atOnce: boolean): Promise<void> {
  closing ??= (async () => {
    journal.write({ e: "stopping" });
    work.stop();
    jobs.stop();
    items?.stop();
    if (!atOnce) {
      await jobs.leave();
      await items?.leave();
      await Promise.all([working, ...bursts]);
    }
    journal.write({ e: "closing" });
    await Promise.all([jobs.close(), items?.close(), ...managers.map((manager) => manager.close())]);
    await Promise.all([working, jobs.settled, items?.settled, ...bursts]);
  })();
  return closing;
}

async function leave(): Promise<void> {
  await register.close();
  process.disconnect();
  journal.write({ e: "closed" });
}

async function obey(it: Order): Promise<void> {
  if (it.order === "go") go();
  else if (it.order === "hold") (items ?? work).hold(it);
  else if (it.order === "burst" && first !== undefined) bursts.push(work.burst(first, register, it.runs));
  else if (it.order === "harm" && first !== undefined) {
    journal.write({ e: "harmed", ...(await doHarm(first.channels.locks, it.harm, it.name)) });
  } else if (it.order === "stop") await close(false).then(leave);
  else if (it.order === "stock") {
    // No other process can open this store: take stock here.
    await close(false);
    journal.write({ e: "stock", stock: await takeStock(options, config.mode) });
    await leave();
  }
}

process.on("message", (it: Order) => void obey(it));
process.once("SIGTERM", () => void close(true).then(leave));
journal.write({ e: "ready", core: import.meta.resolve("@ojm/core") });
