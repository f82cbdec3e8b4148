import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, type JobManager, openChannel, openJobManager } from "@ojm/core";
import { type BackendType, systemClock as clock } from "@ojm/core/backend";
import { backend as etcd } from "@ojm/etcd";
import { backend as redis } from "@ojm/redis";
import { backend as sqlite } from "@ojm/sqlite";
import { openUi } from "@ojm/ui";
import { type Counts, counting } from "./counting.js";
import type { Answered, Folded, Order } from "./messages.js";
import type { Question } from "./questions.js";

/*
 * The UI of a store, in a process of its own. Arguments: the type of the store, its args as JSON. It answers
 * each order of its parent with one message.
 */
const [type = "", args = "{}"] = process.argv.slice(2);

/** How many runs are open during the questions. */
const RUNNING = 20;

/** The records of the last minutes are not folded. */
const LAST = 180_000;

const types: Readonly<Record<string, BackendType>> = { etcd, redis, sqlite };
const opened = types[type];
if (opened === undefined) throw new Error(`there is no store "${type}"`);
const counts: Counts = { calls: 0, entries: 0 };
const store = { backend: counting(await opened.open(JSON.parse(args), { clock }), counts) };
const manager: JobManager = await openJobManager({ chJobs: store, chLocks: store });
const times: Channel<unknown> = await openChannel("oJobManager-times", store);
const ui = openUi({ manager, authorize: () => ({ user: "ana", role: "admin" }) });

async function fetched(path: string): Promise<{ readonly body: string; readonly status: number }> {
  const request = new Request(`http://localhost${path}`, { headers: { Host: "localhost" } });
  const response = await ui.fetch(request, { address: "127.0.0.1" });
  if (response.headers.get("Content-Type")?.startsWith("text/event-stream") !== true)
    return { body: await response.text(), status: response.status };
  const reader = response.body?.getReader();
  const chunk = await reader?.read();
  await reader?.cancel();
  return { body: Buffer.from(chunk?.value ?? []).toString(), status: response.status };
}

async function newestOf(name: string): Promise<string> {
  for await (const { id } of manager.history({ name, limit: 1 })) return id;
  throw new Error(`there is no run of ${name}`);
}

async function answer({ path, newest, rest }: Question, count: number): Promise<Answered> {
  const real = newest === undefined ? path : path.replace("{}", encodeURIComponent(await newestOf(newest)));
  const ms: number[] = [];
  let bytes = 0;
  const began = { ...counts };
  for (let i = 0; i < count; i++) {
    if (rest !== undefined) await sleep(rest);
    const start = performance.now();
    const { body, status } = await fetched(real);
    ms.push(performance.now() - start);
    if (status !== 200) throw new Error(`${real} answers ${status}: ${body.slice(0, 500)}`);
    bytes = Math.max(bytes, Buffer.byteLength(body));
  }
  const each = (what: keyof Counts): number => Math.round((counts[what] - began[what]) / count);
  return { ms, bytes, calls: each("calls"), entries: each("entries") };
}

async function cursor(): Promise<number> {
  return ((await times.get("fold")) as { readonly cursor: number } | undefined)?.cursor ?? 0;
}

/** Folds all records, and reports the cost. */
async function fold({ from, to }: { readonly from: number; readonly to: number }): Promise<Folded> {
  const began = { ...counts };
  const { user, system } = process.cpuUsage();
  const start = performance.now();
  const ask = (): Promise<unknown> => manager.rollups({ names: ["job-000"], from, to, by: "hour" });
  await ask();
  const first = performance.now() - start;
  // The last minutes stay in the records.
  while ((await cursor()) < to - LAST) {
    await sleep(50);
    await ask();
  }
  const whole = performance.now() - start;
  const used = process.cpuUsage();
  return {
    first,
    whole,
    calls: counts.calls - began.calls,
    entries: counts.entries - began.entries,
    cpu: (used.user + used.system - user - system) / 1_000,
  };
}

let end = (): void => {};
const over = new Promise<void>((resolve) => {
  end = resolve;
});
const runs = Array.from({ length: RUNNING }, (_, i) => manager.run(`going-${i}`, () => over));

process.on("message", (order: Order) => {
  void ("fold" in order ? fold(order.fold) : answer(order.ask, order.times)).then(
    (answered) => process.send?.(answered),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once("disconnect", async () => {
  end();
  await Promise.allSettled(runs);
  await ui.close();
  await times.close();
  await manager.close();
  process.exit();
});
process.send?.({ ready: true });
