import { isChannelError } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";
import { sleep } from "../../case/context.js";
import type { Random } from "../../case/random.js";
import type { CommitEnd } from "../../linearizability/history.js";
import type { Recorder } from "../../linearizability/recorder.js";

/** A client that makes random calls on a few keys. */
export interface Wanderer {
  readonly number: number;
  readonly backend: Backend;
  readonly recorder: Recorder;
  readonly random: Random;
  /** In order, with no other key between them in the store. */
  readonly keys: readonly string[];
}

/** The last version of each key that a client saw, current or long stale. */
type Memory = Map<string, string | null>;

type Act = (it: Wanderer, memory: Memory) => Promise<void>;

const ACTS: readonly (readonly [percent: number, act: Act])[] = [
  [25, read],
  [8, (it) => it.recorder.page(it.number, it.backend, it.keys)],
  [14, put],
  [25, compareAndSet],
  [8, create],
  [8, remove],
  [6, removeIf],
  [6, both],
];

/**
 * Makes `steps` calls one after the other. The recorder records commits that fail; failed reads prove
 * nothing.
 */
export async function wander(it: Wanderer, steps: number): Promise<void> {
  const memory: Memory = new Map();
  for (let i = 0; i < steps; i++) {
    try {
      await choose(it.random)(it, memory);
    } catch (error) {
      if (!isChannelError(error)) throw error;
      await sleep(5);
    }
  }
}

function choose(random: Random): Act {
  let left = random.int(100);
  for (const [percent, act] of ACTS) {
    left -= percent;
    if (left < 0) return act;
  }
  return read;
}

async function read({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const key = random.pick(keys);
  const seen = await recorder.read(number, backend, key);
  memory.set(key, seen?.version ?? null);
}

async function put({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const key = random.pick(keys);
  remember(memory, [key], await recorder.commit(number, backend, [], [key]));
}

async function compareAndSet({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const key = random.pick(keys);
  const check = { key, version: memory.get(key) ?? null };
  remember(memory, [key], await recorder.commit(number, backend, [check], [key]));
}

async function create({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const key = random.pick(keys);
  remember(memory, [key], await recorder.commit(number, backend, [{ key, version: null }], [key]));
}

async function remove({ recorder, number, backend, random, keys }: Wanderer): Promise<void> {
  // Keep the version in memory: it is stale now, and a later check of it must fail.
  await recorder.commit(number, backend, [], [], [random.pick(keys)]);
}

async function removeIf({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const key = random.pick(keys);
  await recorder.commit(number, backend, [{ key, version: memory.get(key) ?? null }], [], [key]);
}

/** Writes two keys if the first of them is at its remembered version. Sometimes deletes a third one, too. */
async function both({ recorder, number, backend, random, keys }: Wanderer, memory: Memory): Promise<void> {
  const [checked = "", written = "", deleted = ""] = random.shuffle(keys);
  const check = { key: checked, version: memory.get(checked) ?? null };
  const deletes = random.chance(30) && deleted !== "" ? [deleted] : [];
  const puts = written === "" ? [checked] : [checked, written];
  remember(memory, puts, await recorder.commit(number, backend, [check], puts, deletes));
}

function remember(memory: Memory, keys: readonly string[], end: CommitEnd): void {
  for (const [i, key] of keys.entries()) {
    if (end.type === "applied") memory.set(key, end.version);
    else if (end.type === "refused" && end.current[i] !== undefined) memory.set(key, end.current[i].version);
  }
}
