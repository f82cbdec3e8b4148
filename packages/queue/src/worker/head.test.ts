import { expect, test } from "vitest";
import type { StoredItem } from "../store/entries.js";
import type { QueueStore } from "../store/store.js";
import { Head } from "./head.js";

const item = (data: number): StoredItem => ({ data, attempt: 1, added: 0 });
const version = (n: number): string => String(n).padStart(19, "0");
const keyOf = (n: number) => ["w", "q", 0, n, `id${String(n).padStart(5, "0")}`];

/** A head over entries, which are read when `read` is called. */
function headOf(entries: Map<number, string>) {
  let read = (): void => {};
  const channel = {
    async *entries({ after, limit }: { after?: readonly (string | number)[]; limit: number }) {
      const all = [...entries].sort(([a], [b]) => a - b).filter(([n]) => n > Number(after?.[3] ?? -1));
      const page = all.slice(0, limit).map(([n, at]) => ({ key: keyOf(n), value: item(n), version: at }));
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      yield* page;
    },
  };
  const head = new Head({ channel } as unknown as QueueStore, "q");
  const change = (n: number, at: number, deleted: boolean): void => {
    if (deleted) entries.delete(n);
    else entries.set(n, version(at));
    head.changed(keyOf(n), { version: version(at), deleted, value: () => item(n) });
  };
  const data = (): unknown[] => head.items.map((one) => one.item.data);
  return { head, change, data, read: () => read() };
}

test("what changes while a page is read is as the watch says, not as the page says", async () => {
  const { head, change, data, read } = headOf(new Map([1, 2, 3].map((n) => [n, version(n)])));
  const filling = head.fill(10);
  await Promise.resolve();
  change(2, 10, true);
  change(4, 11, false);
  change(5, 12, false);
  change(5, 13, true);
  read();
  await filling;
  expect(data()).toEqual([1, 3, 4]);
  expect(head.hasMore).toBe(false);
});

test("an item behind those that were read is not remembered, and read later", async () => {
  const { head, change, data, read } = headOf(new Map([1, 2, 3, 4].map((n) => [n, version(n)])));
  let filling = head.fill(2);
  await Promise.resolve();
  read();
  await filling;
  change(9, 20, false);
  change(0, 21, false);
  expect([data(), head.hasMore]).toEqual([[0, 1, 2], true]);
  filling = head.fill(10);
  await Promise.resolve();
  read();
  await filling;
  expect([data(), head.hasMore]).toEqual([[0, 1, 2, 3, 4, 9], false]);
});

test("a page that was read before a gap does not count", async () => {
  const entries = new Map([1, 2].map((n) => [n, version(n)] as const));
  const { head, data, read } = headOf(entries);
  let filling = head.fill(10);
  await Promise.resolve();
  // The watch missed this change.
  entries.set(3, version(3));
  head.reset();
  read();
  await filling;
  expect([data(), head.hasMore]).toEqual([[], true]);
  filling = head.fill(10);
  await Promise.resolve();
  read();
  await filling;
  expect(data()).toEqual([1, 2, 3]);
});

test("a change that comes late changes nothing", async () => {
  const { head, change, data, read } = headOf(new Map([[1, version(10)]]));
  const filling = head.fill(10);
  await Promise.resolve();
  read();
  await filling;
  head.changed(keyOf(1), { version: version(9), deleted: true, value: () => undefined });
  expect(data()).toEqual([1]);
  change(1, 11, true);
  expect(data()).toEqual([]);
});

test("of many items as many are remembered as workers may take, and the others are read again", async () => {
  const { head, change, read } = headOf(new Map());
  const filling = head.fill(10);
  await Promise.resolve();
  read();
  await filling;
  for (let n = 0; n < 2_001; n++) change(n, n + 1, false);
  expect(head.items).toHaveLength(1_000);
  for (let n = 0; n < 10; n++) change(n, 3_000 + n, true);
  expect(head.hasMore).toBe(true);
});
