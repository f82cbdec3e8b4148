import { parentPort, workerData } from "node:worker_threads";
import { findType } from "./channel/backend/find-type.js";
import { openChannel } from "./channel/open.js";
import { closeRecords, openRecords, type Records } from "./jobs/channels.js";
import { closeRunOf } from "./jobs/records/orphans.js";
import { timeoutText } from "./jobs/records/record.js";
import { TimeIndex } from "./jobs/records/time-index.js";
import type { LocksValue } from "./locks/entries/schema.js";
import { BackupHeartbeat } from "./locks/session/backup-heartbeat.js";
import {
  type FromHeartbeat,
  type HeartbeatData,
  SharedDeadline,
  type ToHeartbeat,
} from "./locks/session/heartbeat-thread.js";
import { systemClock } from "./util/clock.js";

/*
 * The entry of the heartbeat thread: see BackupHeartbeat. Its timers keep the thread running until a message
 * stops it. The thread never keeps the process alive.
 */

/** The time that the main thread has to answer, in ms, before it counts as busy. */
const ANSWER = 250;

const { locators, session, ttl, memory } = workerData as HeartbeatData;
const port = parentPort;
if (port === null) throw new Error("this is the entry of a thread");

let records: Promise<Records> | undefined;

function recordsOfSession(): Promise<Records> | undefined {
  if (locators.records === undefined) return undefined;
  const { type, args } = locators.records;
  const opening = records ?? openRecords({ type, args });
  records = opening;
  opening.catch(() => {
    if (records === opening) records = undefined;
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

const backupHeartbeat: BackupHeartbeat = new BackupHeartbeat({
  session,
  ttl,
  clock: systemClock,
  deadlines: new SharedDeadline(memory),
  open: () => openChannel<LocksValue>(locators.locks.name, locators.locks),
  mainAnswers,
  async onTimeout(lock, locks) {
    const opened = await recordsOfSession();
    if (opened === undefined) return;
    const { jobs, times } = opened;
    const { name, timeout } = lock.value;
    await closeRunOf({ jobs, locks, index: new TimeIndex(jobs, times) }, lock, {
      endTime: systemClock.now(),
      status: "timeout",
      error: timeoutText(name, timeout),
    });
  },
});

port.on("message", (message: ToHeartbeat) => {
  if (message === "look") backupHeartbeat.look();
  else if (message === "stop") void stop();
  else if (message.answer === asked) answered?.();
});

async function stop(): Promise<void> {
  await backupHeartbeat.stop();
  const opened = await records?.catch(() => undefined);
  if (opened !== undefined) await closeRecords(opened);
  process.exit();
}

backupHeartbeat.look();
// Load the backend and its driver before they are needed, because the machine may be busy then. The delay
// spares programs that end soon. If it fails, the thread ends, and the process warns of that.
const load = async (): Promise<unknown> => (await findType(locators.locks.type)).load?.();
setTimeout(() => void load(), ttl / 6);
