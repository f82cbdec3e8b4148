import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alertDamage } from "@ojm/alerts";
import { openChannel, openJobManager } from "@ojm/core";
import { DAMAGE_CHECKS } from "@ojm/core/internal/operator";
import { openScheduler, scheduleDamage } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";

/* The page of the entries in the store has the entries that ojm writes, with their fields. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(ROOT, "docs/reference/entries.md"), "utf8");

/** An example of the page. */
interface Example {
  readonly channel: string;
  readonly key: unknown;
  readonly value: unknown;
  /** The text of the page around it: it names the fields that this example lacks. */
  readonly about: string;
}

const examples: Example[] = page
  .split(/^## /m)
  .filter((section) => section.startsWith("oJobManager-"))
  .flatMap((section) => {
    const channel = section.slice(0, section.indexOf("\n"));
    let about = "";
    return [...section.matchAll(/([\s\S]*?)^```json\n([\s\S]*?)^```$/gm)].map(([, text = "", json = ""]) => {
      if (text.includes("**")) about = "";
      about += text + json;
      return { channel, about, ...(JSON.parse(json) as { readonly key: unknown; readonly value: unknown }) };
    });
  });

/** Names in a key: its fixed first word, and how many parts follow. Of a map, its fields. */
function shapeOf(key: unknown): string {
  if (!Array.isArray(key)) return typeof key === "object" ? Object.keys(key ?? {}).join() : JSON.stringify(key);
  const [first, , third] = key as readonly unknown[];
  const kinds = ["call", "stop", "queue", "progress"];
  const last = kinds.find((kind) => kind === third) ?? typeof third;
  return `${typeof first === "string" ? first : "TIME"} ${key.length} ${last}`;
}

/** In the channel of the logs, the first part of a key is the name of a job. */
const shape = (channel: string, key: unknown): string =>
  `${channel} ${channel === "oJobManager-logs" ? shapeOf(["NAME", ...(key as unknown[]).slice(1)]) : shapeOf(key)}`;

const sources = ["core", "schedule", "alerts", "cli", "ojob"].flatMap((name) =>
  readdirSync(join(ROOT, "packages", name, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.test|\.child)\.ts$/.test(file) && !/(^|\/)testing/.test(file))
    .map((file) => readFileSync(join(ROOT, "packages", name, "src", file), "utf8")),
);

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
    const checks = [...DAMAGE_CHECKS, scheduleDamage, alertDamage].filter((check) => check.channel === channel);
    expect(checks).toHaveLength(1);
    for (const { isDamaged } of checks) expect(isDamaged({ key: key as never, value })).toBe(false);
  });

  it("has what runs, retries, holds, waiters, cancels and schedules write, with all fields", {
    timeout: 60_000,
  }, async () => {
    const store = `sqlite:${join(temporaryFolder(), "ojm.db")}`;
    await using one = await openJobManager(store, { retention: { olderThan: "30d" } });
    await using other = await openJobManager(store);
    const args = { day: "2026-11-29" };
    const meta = { file: "orders.csv" };
    const report = async (run: {
      log: { info(text: string): void };
      progress(done: number): void;
    }): Promise<object> => {
      run.log.info("reading");
      run.progress(1);
      return { rows: 42 };
    };
    await one.run("report", report, { once: { per: "1h" }, args, meta });
    const failed = one.run("import", () => Promise.reject(new Error("no server")), {
      args,
      meta,
      retry: { attempts: 2 },
    });
    failed.catch(() => {});
    await expect.poll(() => one.retries("import")).toHaveLength(1);
    await one.hold("import", { reason: "the schema changes", author: "ana" });
    await one.run("handed", (run) => run.handOver("a deploy"));
    let end = (): void => {};
    const gate = new Promise<void>((resolve) => {
      end = resolve;
    });
    const busy = one.run("sync", () => gate);
    await expect.poll(() => one.heldLocks()).toHaveLength(2);
    const waiting = other.run("sync", () => {}, { wait: "1m" });
    await expect.poll(() => one.waiters("sync")).toHaveLength(1);
    await one.cancel("sync", { reason: "wrong month", author: "ana", wait: 0 });
    await one.rollups({ from: Date.now() - 3_600_000, to: Date.now(), by: "hour" });
    await using scheduler = openScheduler(one);
    const definition = { cron: "0 2 * * *", timeZone: "Europe/Lisbon", retry: { attempts: 2 } };
    await scheduler.add("nightly", definition, () => {});
    await scheduler.pause("nightly", { reason: "holidays" });

    const stored: { channel: string; key: unknown; value: unknown }[] = [];
    for (const channel of new Set(examples.map(({ channel }) => channel))) {
      await using opened = await openChannel(channel, store);
      for await (const { key, value } of opened.entries()) stored.push({ channel, key, value });
    }
    end();
    await Promise.allSettled([busy, waiting]);

    const kinds = new Set(stored.map(({ channel, key }) => shape(channel, key)));
    expect(kinds.size).toBeGreaterThan(20);
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
  });
});
