import { beforeEach, describe, expect, it } from "vitest";
import type { Backend, KeyRange, StoredChange, WatchSink } from "../backend/backend.js";
import { ChannelError } from "../errors.js";
import type { KeyWatch } from "../types.js";
import { KeyWatches, type StoredKeyWatcher } from "./watch.js";

const ALL: KeyRange = { from: "c ", to: "c!" };

interface Watched {
  readonly range: KeyRange;
  readonly sink: WatchSink;
}

let watches: Set<Watched>;
let refuse: Error | undefined;
let keyWatches: KeyWatches;

beforeEach(() => {
  watches = new Set();
  refuse = undefined;
  const watch: Backend["watch"] = async (range, sink) => {
    if (refuse !== undefined) throw refuse;
    const watched = { range, sink };
    watches.add(watched);
    return () => void watches.delete(watched);
  };
  keyWatches = new KeyWatches({ watch } as Backend, ALL);
});

function write(key: string, version = "1"): void {
  const change: StoredChange = { key, value: "1", version };
  for (const { range, sink } of [...watches]) if (range.from <= key && key < range.to) sink.change(change);
}

function recorder(): StoredKeyWatcher & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    changed: ({ key, version }) => void told.push(`${key}${version}`),
    gap: () => void told.push("gap"),
    failed: (error) => void told.push(error.message),
  };
}

async function watchMany(count: number): Promise<KeyWatch[]> {
  const all = Array.from({ length: count }, (_, i) => keyWatches.watch(`c many${i} `, recorder()));
  await Promise.all(all.map(({ ready }) => ready));
  return all;
}

it("only the keys that have followers are watched in the store, each of them once", async () => {
  const one = recorder();
  const two = recorder();
  const keyWatch = [keyWatches.watch("c a ", one), keyWatches.watch("c a ", two)];
  await Promise.all(keyWatch.map(({ ready }) => ready));
  expect([...watches].map(({ range }) => range.from)).toEqual(["c a "]);
  write("c a ");
  write("c a b ");
  write("c b ");
  expect([one.told, two.told]).toEqual([["c a 1"], ["c a 1"]]);
  keyWatch[0]?.stop();
  write("c a ", "2");
  expect([one.told, two.told]).toEqual([["c a 1"], ["c a 1", "c a 2"]]);
  keyWatch[1]?.stop();
  await Promise.resolve();
  expect(watches.size).toBe(0);
});

it("beyond a number of keys, all keys share one watch of the whole channel, which ends with the last", async () => {
  const many = await watchMany(100);
  expect(watches.size).toBeLessThan(50);
  expect([...watches].filter(({ range }) => range === ALL).length).toBe(1);
  const last = recorder();
  const keyWatch = keyWatches.watch("c last ", last);
  await keyWatch.ready;
  write("c last ");
  expect(last.told).toEqual(["c last 1"]);
  for (const { stop } of [...many, keyWatch]) stop();
  await Promise.resolve();
  expect(watches.size).toBe(0);
});

it("a gap in the watch of a key is reported only to the watchers of that key", async () => {
  const [one, two] = [recorder(), recorder()];
  await keyWatches.watch("c a ", one).ready;
  await keyWatches.watch("c b ", two).ready;
  for (const { range, sink } of watches) if (range.from === "c a ") sink.gap();
  expect([one.told, two.told]).toEqual([["gap"], []]);
});

it("a failed watch is reported to its watchers, and the next watcher of the key begins a new watch", async () => {
  const [one, two] = [recorder(), recorder()];
  await keyWatches.watch("c a ", one).ready;
  for (const { sink } of [...watches]) sink.fail(new Error("over"));
  await keyWatches.watch("c a ", two).ready;
  write("c a ");
  expect([one.told, two.told]).toEqual([["over"], ["c a 1"]]);
});

describe("watches that cannot be begun", () => {
  it("a watch that cannot be begun rejects for its watchers, and not for later watchers of the key", async () => {
    refuse = new ChannelError("UNAVAILABLE", "away", { retryable: true });
    const one = recorder();
    await expect(keyWatches.watch("c a ", one).ready).rejects.toThrow("away");
    refuse = undefined;
    const two = recorder();
    await keyWatches.watch("c a ", two).ready;
    write("c a ");
    expect([one.told, two.told]).toEqual([[], ["c a 1"]]);
  });
});

it("no watcher receives anything after KeyWatches was closed", async () => {
  const one = recorder();
  await keyWatches.watch("c a ", one).ready;
  const [{ sink }] = watches as unknown as [Watched];
  keyWatches.close();
  sink.change({ key: "c a ", value: "1", version: "1" });
  sink.gap();
  await Promise.resolve();
  expect(one.told).toEqual([]);
  expect(watches.size).toBe(0);
});
