import { isChannelError, isLockError, isRunError, type JobManager } from "@ojm/core";
import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { locksText } from "../packages/cli/src/commands/look/locks.js";
import { runsText } from "../packages/cli/src/commands/look/runs/runs.js";
import { given } from "../packages/cli/src/testing/given.js";
import type { Channel } from "../packages/core/src/channel/channel.js";
import { encodeChannelName } from "../packages/core/src/channel/encoding/key.js";
import { openChannel } from "../packages/core/src/channel/open.js";
import type { Key } from "../packages/core/src/channel/types.js";
import { damagedKey, damagedKeyText, damagedText, type StoredText } from "../packages/core/src/testing/damage.js";
import { scribble } from "../packages/core/src/testing/scribble.js";
import { collect, rejection } from "../packages/core/src/testing/settle.js";
import { Dice } from "../packages/core/src/testing/simulation/dice.js";
import type { FaultyBackend } from "../packages/core/src/testing/stores/faulty-backend.js";
import { World } from "../packages/core/src/testing/world.js";

/*
 * Entries of every kind, written by the real code, then damaged: each call ends with a result or with an
 * error of ours, after a bounded number of calls to the store, and an undamaged name still works.
 */

const TTL = 15_000;

/** Far more calls to the store than any of these calls makes. A call that makes more probably never ends. */
const ENDLESS = 5_000;

const CHANNELS = { jobs: "oJobManager-jobs", locks: "oJobManager-locks" } as const;
type ChannelName = keyof typeof CHANNELS;

interface Sample extends StoredText {
  readonly kind: string;
  readonly channel: ChannelName;
  /** The stored form of the key, if no channel would write it like that. */
  readonly keyText?: string;
}

/** Which kind of entry a key is of. */
function kindOf(channel: ChannelName, key: Key, text: string): string {
  if (channel === "jobs") return `record, ${(JSON.parse(text) as { status: string }).status}`;
  const [kind, , part] = key as readonly string[];
  return kind === "audit" || part === undefined ? String(kind) : part;
}

/** One entry of each kind, as the real code writes it. */
async function samples(): Promise<Sample[]> {
  const world = new World(1);
  const [one, two] = [await world.manager(), await world.manager()];
  // A sweep has run by then.
  await world.clock.advance(2 * TTL);
  await one.manager.run("done", () => ({ rows: 7 }));
  await rejection(one.manager.run("broken", () => Promise.reject(new Error("no data"))));
  await one.manager.start("forced");
  await two.manager.unlock("forced", { reason: "it hangs" });
  await one.manager.start("held");
  const first = new AbortController();
  const waiting = [first.signal, undefined, undefined].map((signal) =>
    two.manager.start("held", { wait: 3_600_000, ...(signal && { signal }) }),
  );
  for (const wait of waiting) wait.catch(() => {});
  await world.clock.advance(100);
  // The next one is called.
  first.abort();
  await world.clock.advance(100);
  const found: Sample[] = [];
  for (const channel of ["jobs", "locks"] as const) {
    for await (const { key, value } of (one.manager.channels[channel] as Channel<unknown>).entries()) {
      const text = JSON.stringify(value);
      found.push({ kind: kindOf(channel, key, text), channel, key, text });
    }
  }
  return found;
}

const all = await samples();
const kinds = [...new Set(all.map(({ kind }) => kind))].sort();

/** Writes a text to a store, past all checks. */
async function plant(way: FaultyBackend, { channel, key, keyText, text }: Sample): Promise<void> {
  if (keyText !== undefined) {
    const stored = encodeChannelName(CHANNELS[channel]) + keyText;
    await way.commit({ checks: [], writes: [{ key: stored, value: text }] });
    return;
  }
  const opened = await openChannel(CHANNELS[channel], { backend: way });
  await scribble({ way, channel: opened as Channel<never> }, key, text);
  await opened.close();
}

/** An entry, and whether and how it is damaged: by which dice. */
const entry: fc.Arbitrary<readonly Sample[]> = fc
  .tuple(
    fc.oneof(...kinds.map((kind) => fc.constantFrom(...all.filter((it) => it.kind === kind)))),
    fc.option(fc.integer(), { freq: 3 }),
  )
  .map(([it, seed]) => (seed === null ? [it] : damaged(new Dice(seed), it)));

function damaged(dice: Dice, it: Sample): readonly Sample[] {
  const where = dice.chance();
  // Written beside the existing entry: no channel writes an entry under such a key.
  if (where < 0.15) return [it, { ...it, keyText: damagedKeyText(dice, it.key) }];
  const key = where < 0.3 ? damagedKey(dice, it.key) : it.key;
  return [{ ...it, key, text: damagedText(dice, it.text) }];
}

/** A store: the seed of its world, and what is planted in it. */
interface Store {
  readonly seed: number;
  readonly entries: readonly Sample[];
}

const inputs: fc.Arbitrary<Store> = fc.record({
  seed: fc.integer({ min: 1, max: 1e9 }),
  entries: fc.array(entry, { minLength: 1, maxLength: 12 }).map((entries) => entries.flat()),
});

/** Fails every call to the store beyond the bound. */
function bounded(way: FaultyBackend): () => void {
  let left = ENDLESS;
  way.fault = () => {
    if (--left < 0) throw new Error(`more than ${ENDLESS} calls to the store: this never ends`);
    return undefined;
  };
  return () => {
    left = ENDLESS;
  };
}

const NAMES = ["held", "done", "forced", "lone"];

/** All queries of a manager. */
function surface(manager: JobManager): [what: string, call: () => Promise<unknown>][] {
  const calls: [string, () => Promise<unknown>][] = [
    ["history()", () => collect(manager.history())],
    ["history({ limit: 3 })", () => collect(manager.history({ limit: 3 }))],
    ["running()", () => manager.openRecords()],
    ["locks()", () => manager.heldLocks()],
    ["ojm history", () => shown(given("runs").then((words) => runsText(words, manager, {})))],
    ["ojm locks", () => shown(given("locks").then((words) => locksText(words, manager)))],
  ];
  for (const name of NAMES) {
    calls.push(
      [`run("${name}")`, () => manager.run(name, () => 1)],
      [`start("${name}")`, async () => (await manager.start(name, { wait: 0 })).end()],
      [`lock("${name}")`, async () => (await manager.lock(name, { wait: 1_000 })).release()],
      [`history("${name}")`, () => collect(manager.history({ name }))],
      [`unlock("${name}")`, () => manager.unlock(name, { reason: "it hangs" })],
      [`run("${name}") once more`, () => manager.run(name, () => 1, { wait: 0 })],
    );
  }
  calls.push(["prune()", () => manager.prune({ olderThan: 0 })], ["close()", () => manager.close()]);
  return calls;
}

/** A table never contains terminal escapes, and each of its lines is a row. */
async function shown(printing: Promise<string>): Promise<void> {
  expect(await printing).not.toMatch(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
}

const isOurs = (error: unknown): boolean => isChannelError(error) || isLockError(error) || isRunError(error);

async function tryAll({ seed, entries }: Store): Promise<void> {
  const world = new World(seed);
  const store = await world.way();
  for (const one of entries) await plant(store, one);
  const one = await world.manager({ ttl: TTL });
  const refill = bounded(one.way);
  const settles = async (what: string, call: () => Promise<unknown>): Promise<void> => {
    refill();
    try {
      await world.clock.until(call());
    } catch (error) {
      if (!isOurs(error)) throw new Error(`${what}: ${(error as Error).stack}`, { cause: error });
    }
  };
  const calls = surface(one.manager);
  for (const [what, call] of calls.slice(0, -1)) await settles(what, call);
  // The entries that sweeps, heartbeats and the search for strays find.
  refill();
  await world.clock.advance(3 * TTL);
  refill();
  expect((await world.clock.until(one.manager.run("untouched", () => 5))).result).toBe(5);
  expect(await collect(one.manager.history({ name: "untouched" }))).toMatchObject([{ status: "completed" }]);
  await (await one.manager.lock("untouched")).release();
  for (const [what, call] of calls.slice(-1)) await settles(what, call);
  const next = await world.manager();
  await next.manager.close();
}

test("the samples are of every kind of entry", () => {
  expect(kinds).toEqual([
    "audit",
    "call",
    "lock",
    "queue",
    "record, cancelled",
    "record, completed",
    "record, failed",
    "record, running",
    "session",
    "sweep",
  ]);
});

fuzz({
  name: "entries",
  inputs,
  check: async (store) => {
    const warnings: string[] = [];
    const spy = vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
    try {
      await tryAll(store);
      expect(warnings).toEqual([]);
    } finally {
      spy.mockRestore();
    }
  },
  runs: { some: 50, many: 1_000 },
});
