import assert from "node:assert/strict";
import type { Channel, JsonValue } from "@ojm/core";
import { sameValue } from "../../support/same-value.js";

/** A model of a channel as seen from outside: a map, the version of each entry, and every version so far. */
export class ChannelModel {
  readonly entries: Map<string, { value: JsonValue; version: string }> = new Map();
  readonly past: string[] = [];

  wrote(key: string, value: JsonValue, version: string): void {
    const before = this.past.at(-1);
    if (before !== undefined) assert.ok(BigInt(before) < BigInt(version), `version ${version} came after ${before}`);
    this.past.push(version);
    this.entries.set(key, { value, version });
  }

  /** Throws unless the channel holds what the model holds. */
  async check(channel: Channel): Promise<void> {
    const found = new Map<string, { value: JsonValue; version: string }>();
    for await (const { key, value, version } of channel.entries()) found.set(String(key), { value, version });
    assert.deepEqual([...found.keys()], [...this.entries.keys()].sort());
    for (const [key, { value, version }] of this.entries) {
      const there = found.get(key);
      assert.ok(sameValue(there?.value, value), `the value under ${key} is not the one that was written`);
      assert.equal(there?.version, version, `the version of ${key}`);
    }
  }
}

/** One step of a program that runs against the channel and the model alike. */
export interface Step {
  readonly verb:
    | "set"
    | "unset"
    | "get"
    | "create"
    | "replace"
    | "stale"
    | "getSet"
    | "commit"
    | "size"
    | "shift"
    | "pop";
  /** The number of the client. */
  readonly by: number;
  readonly key: string;
  readonly value: number;
}

/** Applies a step to the channel and to the model. Throws if they differ. */
export async function apply(step: Step, channel: Channel, model: ChannelModel): Promise<void> {
  await STEPS[step.verb](step, channel, model);
}

type Apply = (step: Step, channel: Channel, model: ChannelModel) => Promise<void>;

const STEPS: Readonly<Record<Step["verb"], Apply>> = {
  async set({ key, value }, channel, model) {
    model.wrote(key, value, await channel.set(key, value));
  },
  async unset({ key }, channel, model) {
    await channel.unset(key);
    model.entries.delete(key);
  },
  async get({ key }, channel, model) {
    const entry = await channel.entry(key);
    const expected = model.entries.get(key);
    assert.deepEqual(entry, expected === undefined ? undefined : { key, ...expected });
  },
  async create(step, channel, model) {
    await compareAndSet(step, null, channel, model);
  },
  async replace(step, channel, model) {
    await compareAndSet(step, model.entries.get(step.key)?.version ?? null, channel, model);
  },
  async stale(step, channel, model) {
    const old = model.past[step.value % Math.max(1, model.past.length)];
    if (old !== undefined) await compareAndSet(step, old, channel, model);
  },
  async getSet({ key, value }, channel, model) {
    const before = model.entries.get(key);
    const outcome = await channel.getSet({ n: value }, key, { n: value + 1 });
    const expected = typeof before?.value === "object" && sameValue(before.value, { n: value });
    assert.equal(outcome.ok, expected);
    if (outcome.ok) model.wrote(key, { n: value + 1 }, outcome.version);
  },
  async commit({ key, value }, channel, model) {
    const there = model.entries.get(key);
    const other = `${key}'`;
    const result = await channel.commit([
      { check: key, version: there?.version ?? null },
      { put: other, value: { n: value } },
      { delete: key },
    ]);
    assert.ok(result.ok, "a commit whose check holds was refused");
    model.wrote(other, { n: value }, result.version);
    model.entries.delete(key);
  },
  async size(_step, channel, model) {
    assert.equal(await channel.size(), model.entries.size);
  },
  async shift(_step, channel, model) {
    await take(await channel.shift(), (a, b) => a < b, model);
  },
  async pop(_step, channel, model) {
    await take(await channel.pop(), (a, b) => a > b, model);
  },
};

async function compareAndSet(step: Step, expected: string | null, channel: Channel, model: ChannelModel) {
  const { key, value } = step;
  const there = model.entries.get(key);
  const outcome = await channel.compareAndSet(key, expected, value);
  assert.equal(outcome.ok, (there?.version ?? null) === expected, `compareAndSet(${key}, ${expected})`);
  if (outcome.ok) model.wrote(key, value, outcome.version);
  else assert.deepEqual(outcome.current, there === undefined ? undefined : { key, ...there });
}

async function take(value: JsonValue | undefined, before: (a: bigint, b: bigint) => boolean, model: ChannelModel) {
  let first: string | undefined;
  for (const [key, { version }] of model.entries) {
    const best = model.entries.get(first ?? "")?.version;
    if (best === undefined || before(BigInt(version), BigInt(best))) first = key;
  }
  assert.ok(sameValue(value, model.entries.get(first ?? "")?.value), "another entry was taken");
  if (first !== undefined) model.entries.delete(first);
}
