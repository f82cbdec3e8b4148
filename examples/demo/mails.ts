import { setTimeout as pause } from "node:timers/promises";
import type { Item, Queues } from "@ojm/queue";

/** How many mails wait at the start, and how many come each time. */
const FIRST = 40;
const MORE = 3;

/** How often they come, and how long a mail takes, in ms. */
const EVERY = 4_000;
const TAKES = 700;

interface Mail {
  readonly order: number;
}

/** Adds and sends mails until `signal` fires. Some addresses never work: their mails become dead letters. */
export async function sendMails(queues: Queues, signal: AbortSignal): Promise<void> {
  await queues.define("mail", { attempts: 2, delay: "2s" });
  let order = 4_700;
  const add = async (mails: number): Promise<void> => {
    for (let i = 0; i < mails; i++) await queues.add("mail", { order: ++order }, { group: `shop-${order % 4}` });
  };
  await add(FIRST);
  await queues.work("mail", send, { concurrency: 2 });
  while (!signal.aborted) {
    await add(MORE);
    // The demo ends meanwhile.
    await pause(EVERY, undefined, { signal }).catch(() => undefined);
  }
}

async function send({ data: { order }, signal, run }: Item<Mail>): Promise<string> {
  run.log.info(`order ${order}: connecting`);
  await pause(TAKES, undefined, { signal });
  if (order % 9 === 0) throw new Error(`order ${order}: the mailbox is full`);
  if (order % 13 === 0) throw new Error(`no route to mx${order % 3}.example.com`);
  return "sent";
}
