import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alertDamage } from "@ojm/alerts";
import { type JobManager, openChannel } from "@ojm/core";
import { DAMAGE_CHECKS } from "@ojm/core/internal/operator";
import { type Item, type ItemState, openQueues, type Queues, queueDamage } from "@ojm/queue";
import { scheduleDamage } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { examples, shape } from "./support/entries-page.js";
import { writeHistory } from "./support/history.js";

/* The page of the entries in the store has the entries that ojm writes, with their fields. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const sources = ["core", "schedule", "queue", "alerts", "cli", "ojob"].flatMap((name) =>
  readdirSync(join(ROOT, "packages", name, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.test|\.child)\.ts$/.test(file) && !/(^|\/)testing/.test(file))
    .map((file) => readFileSync(join(ROOT, "packages", name, "src", file), "utf8")),
);

/** Queues with an item in each state. */
async function queuesOf(manager: JobManager): Promise<Queues> {
  const queues = openQueues(manager);
  const permits = { smtp: 10 };
  const rate = { name: "mails", max: 100, per: "1m" };
  await queues.define("mail", { attempts: 2, delay: "1h", permits, rate, perGroup: 5 });
  const handler = ({ data, signal }: Item): Promise<unknown> =>
    data === "fails" ? Promise.reject(new Error("no route")) : new Promise((_, reject) => (signal.onabort = reject));
  await queues.work("mail", handler, { concurrency: 3 });
  for (const [data, attempts] of [
    ["fails", 1],
    ["fails", 2],
    ["takes long", 2],
  ] as const)
    await queues.add("mail", data, { attempts, ...(data === "takes long" && { unique: { key: data } }) });
  const state = (name: ItemState): Promise<unknown[]> => collect(queues.items("mail", { state: name }));
  for (const name of ["dead", "delayed", "active"] as const) await expect.poll(() => state(name)).toHaveLength(1);
  await queues.trigger("mail", "newer", { key: "takes long", after: "1h" });
  await queues.pause("mail", { reason: "the server moves", until: Date.now() + 3_600_000 });
  const unique = { key: "order-4711" };
  await queues.add("mail", "x", { group: "customer-7", unique, ttl: "1h", meta: { order: 4711 }, attempts: 3 });
  await queues.add("mail", "y", { delay: "1h", unique: { key: "order-4712" } });
  const callback = { queue: "reports", data: null };
  for (const data of [[], ["z"]]) await queues.batch("mail", `batch ${data.length}`, data, { callback });
  return queues;
}

describe("the page Entries in the store", () => {
  it("has an example of each kind of key in the sources", () => {
    const kinds = sources.flatMap((text) =>
      [
        ...text.matchAll(/\w+(?:Key|Of) = \([^)]*\): (?:Key|string\[\]|\(string \| number\)\[\]) => \["([\w-]+)"/g),
        ...text.matchAll(/const \w+: Key = \[?"([\w-]+)"/g),
        ...text.matchAll(/#key = \["([\w-]+)"/g),
      ].map(([, kind]) => kind),
    );
    expect(kinds).toEqual(expect.arrayContaining(["lock", "sweep", "retry", "tick", "seen", "outbox", "exec"]));
    const shown = examples.map(({ key }) => (Array.isArray(key) ? key[0] : key));
    expect(kinds.filter((kind) => !shown.includes(kind))).toEqual([]);
  });

  it.each(
    examples.map(({ channel, key, value }) => [`${channel} ${JSON.stringify(key)}`, { channel, key, value }] as const),
  )("the example %s is one that ojm understands", (_, { channel, key, value }) => {
    const checks = [...DAMAGE_CHECKS, scheduleDamage, queueDamage, alertDamage].filter(
      (check) => check.channel === channel,
    );
    expect(checks).toHaveLength(1);
    for (const { isDamaged } of checks) expect(isDamaged({ key: key as never, value })).toBe(false);
  });

  it("has each kind of entry that ojm writes, with all fields", { timeout: 120_000 }, async () => {
    const store = { type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } };
    const live = await writeHistory({ store, text: `sqlite:${store.args.file}`, prefix: "well" });
    // Not in the history: an older version, which reads it too, refuses a store with permits or rates.
    await live.manager.limit("stripe", 5);
    await live.manager.once("invoice", "2026-11", () => ({ pages: 2 }), { keep: "400d" });
    const rate = { name: "smtp", max: 100, per: "1m" };
    const permitted = await live.manager.start("charge", { permits: { stripe: 5 }, rate });
    const queues = await queuesOf(live.manager);
    const stored: { channel: string; key: unknown; value: unknown }[] = [];
    for (const channel of new Set(examples.map(({ channel }) => channel))) {
      await using opened = await openChannel(channel, store);
      for await (const { key, value } of opened.entries()) stored.push({ channel, key, value });
    }
    await queues.close({ grace: 0 });
    await permitted.end();
    await live.close();

    const missing = stored.flatMap(({ channel, key, value }) => {
      const alike = examples.filter((example) => shape(example.channel, example.key) === shape(channel, key));
      const about = alike.map((example) => example.about).join("\n");
      const fields = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
      const inRecord =
        channel === "oJobManager-jobs" ? readFileSync(join(ROOT, "docs/reference/typescript/run.md"), "utf8") : "";
      const lacking = fields.filter((field) => !new RegExp(`["\`]${field}\\b`).test(about + inRecord));
      return alike.length > 0 && lacking.length === 0 ? [] : [{ channel, key, lacking }];
    });
    expect(missing).toEqual([]);
    // And the page has no kind that nothing writes.
    const kinds = new Set(stored.map(({ channel, key }) => shape(channel, key)));
    expect(examples.map(({ channel, key }) => shape(channel, key)).filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});
