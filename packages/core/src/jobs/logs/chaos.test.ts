import diagnostics from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { seeded } from "../../testing/fake-clock.js";
import { faultsOf, isLogCommit, missingIn } from "../../testing/logs.js";
import { collect } from "../../testing/settle.js";
import type { Fault } from "../../testing/stores/faulty-backend.js";
import { World } from "../../testing/world.js";
import type { LogItem } from "./types.js";

/*
 *   OJM_SEEDS=2000 npx vitest run packages/core/src/jobs/logs/chaos.test.ts     more seeds
 */
const SEEDS = Number(process.env["OJM_SEEDS"] ?? 30);
/** The number of seeds for `npm test`. */
const FEW = 4;

/** The dropped lines that were reported to the process. */
const told = { lines: 0 };

/** The items of a whole log that come after a line. */
function restOf(items: readonly LogItem[], after: number): LogItem[] {
  let line = 0;
  return items.filter((item) => {
    if ("line" in item) line = item.line;
    else if ("missing" in item && item.missing !== "unknown") line += item.missing.lines;
    return line > after || ("missing" in item && item.missing === "unknown");
  });
}

/** One run that writes a log while calls to the store fail at random, and others read it. */
async function logWithFaults(seed: number): Promise<{ faults: string[]; missing: ReturnType<typeof missingIn> }> {
  told.lines = 0;
  const chance = seeded(seed);
  const between = (least: number, most: number): number => least + Math.floor(chance() * (most - least + 1));
  const world = new World(seed);
  const { clock } = world;
  const logBudget = {
    head: between(1, 5_000),
    tail: between(1, 20_000),
    chunk: between(50, 2_000),
    interval: between(1, 500),
  };
  const writer = await world.manager({ logBudget, ttl: 600_000 });
  const reader = await world.manager();
  const faults: readonly Fault[] = [
    { type: "slow", ms: between(1, 3_000) },
    { type: "slow reply", ms: between(1, 3_000) },
    { type: "doubled", ms: between(1, 9_000) },
    { type: "refused" },
    { type: "full" },
    { type: "request lost" },
    { type: "reply lost" },
    { type: "late", ms: between(1, 9_000) },
  ];
  const often = chance() ** 2;
  let isCalm = false;
  writer.jobsWay.fault = (call) => {
    if (isCalm || call.kind !== "commit" || !isLogCommit(call.commit) || chance() > often) return undefined;
    return faults[between(0, faults.length - 1)];
  };
  const run = await clock.until(writer.manager.start("a", { timeout: 36_000_000 }));
  const followed: LogItem[] = [];
  const late: LogItem[] = [];
  const follow = async (into: LogItem[]): Promise<void> => {
    for await (const item of reader.manager.log(run.id, { follow: true })) into.push(item);
  };
  const following = [follow(followed)];
  const lines = between(1, 20_000);
  const pad = "x".repeat(between(0, 1) * 300);
  const textOf = (n: number): string => `line ${n} ${"y".repeat(n % 50)}${pad}`;
  for (let n = 1; n <= lines; n++) {
    run.log.info(textOf(n));
    if (chance() < 0.02) await clock.advance(between(0, 2_000));
    if (following.length === 1 && chance() < 0.001) following.push(follow(late));
    if (chance() < 0.01) run.progress(n, lines);
  }
  run.progress(lines, lines);
  await clock.until(run.end());
  isCalm = true;
  for (const each of following) await clock.until(each);
  await clock.advance(30_000);
  const kept = await collect(reader.manager.log(run.id));
  const found = [
    ...faultsOf(kept, lines, textOf).map((fault) => `read: ${fault}`),
    ...faultsOf(followed, lines, textOf).map((fault) => `followed: ${fault}`),
    ...(following.length > 1 ? faultsOf(late, lines, textOf).map((fault) => `followed late: ${fault}`) : []),
  ];
  for (const after of [0, between(0, lines), between(0, lines), lines]) {
    const rest = JSON.stringify(restOf(kept, after));
    for (const follow of [false, true]) {
      const items = await clock.until(collect(reader.manager.log(run.id, { after, follow })));
      if (JSON.stringify(items) !== rest)
        found.push(`after ${after}, follow ${follow}: not what the whole log ends with`);
    }
  }
  for (const tail of [0, 1, between(2, lines + 2)]) {
    const last = JSON.stringify(
      kept.filter((item) => "line" in item).slice(tail === 0 ? Number.POSITIVE_INFINITY : -tail),
    );
    for (const follow of [false, true]) {
      const items = await clock.until(collect(reader.manager.log(run.id, { tail, follow })));
      const shown = JSON.stringify(items.filter((item) => "line" in item));
      if (shown !== last) found.push(`tail ${tail}, follow ${follow}: not the last lines`);
    }
  }
  const missing = missingIn(kept);
  if (missing.dropped !== told.lines) found.push(`${missing.dropped} lines dropped in the log, and ${told.lines} told`);
  await clock.until(Promise.all([writer.manager.close(), reader.manager.close()]));
  return { faults: found, missing };
}

const parts: readonly (readonly [first: number, last: number, tags: string[]])[] = [
  [1, FEW, []],
  [FEW + 1, SEEDS, ["full"]],
];
for (const [first, last, tags] of parts) {
  test(`whatever happens to its commits, a log shows each line at its place: seeds ${first} to ${last}`, {
    tags,
  }, async () => {
    const listen = (message: unknown): void => {
      told.lines += (message as { lines: number }).lines;
    };
    diagnostics.subscribe("ojm:log:dropped", listen);
    onTestFinished(() => void diagnostics.unsubscribe("ojm:log:dropped", listen));
    const seen = { gaps: 0, dropped: 0 };
    for (let seed = first; seed <= last; seed++) {
      const { faults, missing } = await logWithFaults(seed);
      expect({ seed, faults }).toEqual({ seed, faults: [] });
      if (missing.lines > 0) seen.gaps++;
      if (missing.dropped > 0) seen.dropped++;
    }
    // A test in which all logs are whole would prove nothing.
    expect(seen.gaps).toBeGreaterThan((last - first + 1) / 3);
    expect(seen.dropped).toBeGreaterThan(0);
  });
}
