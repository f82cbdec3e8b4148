import type { JobManager, RunRecord } from "@ojm/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ManagerOf, World } from "../../../core/src/testing/world.js";
import { type Family, parseScrape } from "../testing/parse.js";
import { MOST_JOBS } from "./last-success.js";
import { openPrometheus, type Prometheus, type PrometheusOptions } from "./prometheus.js";

const NAME = "ojm_job_last_success_timestamp_seconds";

/** A process that is scraped, and another one with the same store. */
async function twoProcesses(): Promise<{
  scraped: Prometheus;
  world: World;
  way: ManagerOf["way"];
  other: JobManager;
}> {
  const world = new World();
  const { manager, way } = await world.manager();
  const { manager: other } = await world.manager();
  const scraped = openPrometheus({ manager });
  onTestFinished(() => scraped.close());
  return { scraped, world, way, other };
}

async function scrape(of: Prometheus): Promise<ReadonlyMap<string, Family>> {
  return parseScrape(await of.text());
}

function completed(name: string, startTime: number): RunRecord {
  const startDate = new Date(startTime).toISOString();
  const holder = { host: "h", pid: 1, instance: "i" };
  const end = { status: "completed", endTime: startTime + 1, duration: 1 } as const;
  return { name, startTime, startDate, id: `${name}@${startDate}`, holder, trigger: "manual", timeout: 1, ...end };
}

const values = (all: ReadonlyMap<string, Family>): (readonly [string | undefined, number])[] | undefined =>
  all.get(NAME)?.samples.map(({ labels, value }) => [labels["cicd_pipeline_name"], value]);

describe("when jobs last completed", () => {
  test("is shown in seconds, of the runs of all processes, and of no job that never completed", async () => {
    const { scraped, world, other } = await twoProcesses();
    const { clock } = world;
    expect(values(await clock.until(scrape(scraped)))).toEqual([]);
    const hang = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
    await clock.until(other.run('a "quoted" one', () => hang(90_000)));
    const ended = clock.now();
    await clock.advance(60_000);
    const fails = (): Promise<never> => Promise.reject(new Error("no"));
    for (const name of ['a "quoted" one', "never"]) await clock.until(other.run(name, fails).catch(() => {}));
    await clock.until(other.run("never", (run) => run.skip("nothing to do")));
    // The own runs of ojm are hidden, as in all lists.
    await clock.until(other.run("ojm alerts", () => {}));
    const [sample, ...more] = values(await clock.until(scrape(scraped))) ?? [];
    expect([sample?.[0], more]).toEqual(['a "quoted" one', []]);
    expect(Math.abs((sample?.[1] ?? 0) - ended / 1_000)).toBeLessThan(1);
  });

  test("is what was known last, while the store is away", async () => {
    const { scraped, world, way, other } = await twoProcesses();
    await world.clock.until(other.run("a", () => {}));
    const before = values(await world.clock.until(scrape(scraped)));
    expect(before).toHaveLength(1);
    way.fault = () => ({ type: "refused" });
    await world.clock.advance(60_000);
    expect(values(await world.clock.until(scrape(scraped)))).toEqual(before);
    way.fault = () => undefined;
    await world.clock.advance(60_000);
    await world.clock.until(other.run("a", () => {}));
    expect(values(await world.clock.until(scrape(scraped)))?.[0]?.[1]).toBeGreaterThan((before?.[0]?.[1] ?? 0) + 100);
  });

  test("is left out of a process that was given no manager, and needs a real one", async () => {
    const metrics = openPrometheus();
    onTestFinished(() => metrics.close());
    expect((await scrape(metrics)).has(NAME)).toBe(false);
    expect(() => openPrometheus({ manager: {} } as PrometheusOptions)).toThrow(/^manager must be an open job manager/);
  });

  test("has a sample of the first thousand jobs at most, and a counter says that some are left out", async () => {
    const { scraped, world, way, other } = await twoProcesses();
    const now = world.clock.now();
    await world.write(
      { jobsWay: way },
      Array.from({ length: MOST_JOBS }, (_, i) => completed(`job ${i}`, now + i)),
    );
    const folded = (all: ReadonlyMap<string, Family>): number | undefined =>
      all.get("ojm_names_folded_total")?.samples[0]?.value;
    const before = await world.clock.until(scrape(scraped));
    expect(values(before)).toHaveLength(MOST_JOBS);
    await world.clock.until(other.run("one more", () => {}));
    const after = await world.clock.until(scrape(scraped));
    expect(values(after)).toHaveLength(MOST_JOBS);
    expect(folded(after)).toBeGreaterThan(folded(before) ?? 0);
  });
});
