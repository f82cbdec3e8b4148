import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { countServerTime } from "../run/cost.js";
import type { Store } from "../stores.js";
import { cpuOf, startChild } from "./children.js";

/** How many processes the managers are spread over. */
const PROCESSES = 5;

/** The default time to live, in ms: after it, all one-time work is over. */
const TTL = 15_000;

/** How long the processor time is measured, in ms. */
const MEASURED = 3 * TTL;

/** The cost of sessions that each hold a lock, as parts of a core. */
export interface SessionsRow {
  readonly store: string;
  readonly sessions: number;
  readonly server: number;
  /** All clients together. */
  readonly clients: number;
}

/** Measures managers, each with its own connection, that hold a lock and do nothing else. */
export async function measureSessions(store: Store, sessions: number): Promise<SessionsRow> {
  const { options, servers, close } = await store.open();
  const length = Math.min(PROCESSES, sessions);
  const running = Array.from({ length }, (_, i) => {
    const [first, last] = [i, i + 1].map((part) => String(Math.round((part * sessions) / length)));
    return startChild("./sessions.child.ts", [JSON.stringify(options), first ?? "", last ?? ""]);
  });
  try {
    await Promise.all(running.map((child) => once(child, "message")));
    await sleep(TTL);
    const serverTime = countServerTime(servers);
    const before = await cpuOf(running);
    await sleep(MEASURED);
    const server = serverTime() / 1_000 / MEASURED;
    const clients = ((await cpuOf(running)) - before) / MEASURED;
    return { store: store.name, sessions, server, clients };
  } finally {
    const ended = running.map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(ended);
    await close();
  }
}
