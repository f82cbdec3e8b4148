import { parentPort, workerData } from "node:worker_threads";
import type { Channel } from "./channel/channel.js";
import { findType } from "./channel/find-type.js";
import { openChannel } from "./channel/open.js";
import { systemClock } from "./clock.js";
import { closeRunOf } from "./jobs/orphans.js";
import { timeoutText } from "./jobs/record.js";
import type { RunRecord } from "./jobs/types.js";
import type { LocksValue } from "./locks/entries.js";
import type { FromHeartbeat, HeartbeatData, ToHeartbeat } from "./locks/heartbeat-thread.js";
import { Pulse } from "./locks/pulse.js";
import { StandIn } from "./locks/stand-in.js";

/*
 * The thread that keeps the session of a busy program alive: see StandIn. Its timers keep it going until it is told to stop; it never keeps
 * the process.
 */

/** How long the main thread may take to answer, in ms, until it is taken for busy. */
const ANSWER = 250;

const { origins, session, ttl, memory } = workerData as HeartbeatData;
const port = parentPort;
if (port === null) throw new Error("this is the entry of a thread");

let jobs: Promise<Channel<RunRecord>> | undefined;

function openJobs(): Promise<Channel<RunRecord>> | undefined {
  if (origins.jobs === undefined) return undefined;
  const { name, type, args } = origins.jobs;
  const opening = jobs ?? openChannel<RunRecord>(name, { type, args });
  jobs = opening;
  opening.catch(() => {
    if (jobs === opening) jobs = undefined;
  });
  return opening;
}

let asked = 0;
let answered: (() => void) | undefined;

function mainAnswers(): Promise<boolean> {
  port?.postMessage({ ask: ++asked } satisfies FromHeartbeat);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER);
    answered = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
}

const standIn: StandIn = new StandIn({
  session,
  ttl,
  clock: systemClock,
  pulse: new Pulse(memory),
  open: () => openChannel<LocksValue>(origins.locks.name, origins.locks),
  mainAnswers,
  async onTimeout(lock, locks) {
    const records = await openJobs();
    if (records === undefined) return;
    const { name, timeout } = lock.value;
    await closeRunOf({ jobs: records, locks }, lock, {
      endTime: systemClock.now(),
      status: "timeout",
      error: timeoutText(name, timeout),
    });
  },
});

port.on("message", (message: ToHeartbeat) => {
  if (message === "look") standIn.look();
  else if (message === "stop") void stop();
  else if (message.answer === asked) answered?.();
});

async function stop(): Promise<void> {
  await standIn.stop();
  await (await jobs?.catch(() => undefined))?.close();
  process.exit();
}

standIn.look();
// Ahead of need, but not of a program that is over in a moment: by the time it is needed, the machine may be busy.
setTimeout(() => void findType(origins.locks.type), ttl / 6);
