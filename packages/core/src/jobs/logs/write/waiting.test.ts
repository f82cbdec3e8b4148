import { expect, test } from "vitest";
import type { LogAmount } from "../types.js";
import { Ring } from "./log-writer.js";
import { Waiting, type WaitingChunk } from "./waiting.js";

function waiting(limits: { chunk: number; most: number; room?: { used: number; most: number } }): {
  log: Waiting;
  dropped: LogAmount[];
} {
  const dropped: LogAmount[] = [];
  const room = limits.room ?? { used: 0, most: Number.POSITIVE_INFINITY };
  return { log: new Waiting({ ...limits, room }, (amount) => void dropped.push(amount)), dropped };
}

function takeAll(log: Waiting): WaitingChunk[] {
  const all: WaitingChunk[] = [];
  for (let chunk = log.take(); chunk !== undefined; chunk = log.take()) all.push(chunk);
  return all;
}

const lineOf = (n: number): string => `line ${String(n).padStart(4, "0")}`;

test("lines become chunks, with numbers, offsets and times", () => {
  const { log } = waiting({ chunk: 8, most: 1_000 });
  expect(log.isEmpty).toBe(true);
  log.add(100, "I", "abc");
  expect([log.isEmpty, log.hasFull]).toEqual([false, false]);
  log.add(105, "W", "défg");
  expect(log.hasFull).toBe(true);
  log.add(110, "E", "h");
  const dropped = { lines: 0, bytes: 0 };
  expect(takeAll(log)).toEqual([
    { at: 100, line: 1, offset: 0, lines: 2, bytes: 10, text: "0 I abc\n5 W défg", dropped },
    { at: 110, line: 3, offset: 10, lines: 1, bytes: 2, text: "0 E h", dropped },
  ]);
  expect([log.isEmpty, log.hasFull]).toEqual([true, false]);
  expect(log.end()).toMatchObject({ line: 4, offset: 12 });
});

test("above the limit, chunks in the middle are dropped, and the next chunk says how much", () => {
  const { log, dropped } = waiting({ chunk: 100, most: 1_000 });
  for (let n = 1; n <= 1_000; n++) log.add(0, "I", lineOf(n));
  const chunks = takeAll(log);
  expect(chunks.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1_100);
  expect(chunks[0]?.line).toBe(1);
  expect(chunks.at(-1)?.text).toContain("line 1000");
  const lost = chunks.reduce((sum, chunk) => sum + chunk.dropped.lines, 0);
  const kept = chunks.reduce((sum, { lines }) => sum + lines, 0);
  expect(lost + kept).toBe(1_000);
  expect(dropped.reduce((sum, { lines }) => sum + lines, 0)).toBe(lost);
  // In one place: the first half of the kept lines is the first half of the written ones.
  expect(chunks.filter((chunk) => chunk.dropped.lines > 0)).toHaveLength(1);
  let next = 1;
  let offset = 0;
  for (const chunk of chunks) {
    expect(chunk.line).toBe(next + chunk.dropped.lines);
    expect(chunk.offset).toBe(offset + chunk.dropped.bytes);
    next = chunk.line + chunk.lines;
    offset = chunk.offset + chunk.bytes;
  }
  expect(log.end()).toMatchObject({ line: next, offset });
});

test("what is dropped right before the end is counted in the end", () => {
  const { log } = waiting({ chunk: 20, most: 10 });
  for (let n = 1; n <= 4; n++) log.add(0, "I", lineOf(n));
  expect(takeAll(log)).toEqual([]);
  expect(log.end()).toEqual({ line: 5, offset: 40, dropped: { lines: 4, bytes: 40 } });
});

test("all logs of a manager together wait in bounded memory, and each keeps a chunk", () => {
  const room = { used: 0, most: 1_000 };
  const logs = Array.from({ length: 30 }, () => waiting({ chunk: 100, most: 1_000, room }).log);
  for (let n = 1; n <= 100; n++) for (const log of logs) log.add(0, "I", lineOf(n));
  expect(room.used).toBeLessThanOrEqual(30 * 100 + 1_000);
  for (const log of logs) expect(takeAll(log).length).toBeGreaterThanOrEqual(1);
  expect(room.used).toBe(0);
});

test("a store keeps the first chunks and the last ones", () => {
  const ring = new Ring({ head: 3 * 356, tail: 2 * 356 });
  const deletes: number[] = [];
  for (let n = 0; n < 10; n++) {
    const added = ring.add(100, 10);
    expect(added.seq).toBe(n);
    deletes.push(...added.deletes);
  }
  expect(deletes).toEqual([3, 4, 5, 6, 7]);
  expect(ring.kept()).toEqual([0, 1, 2, 8, 9]);
});

test("a commit deletes no more chunks than it may, and later ones delete the rest", () => {
  const ring = new Ring({ head: 0, tail: 2_560 });
  for (let n = 0; n < 10; n++) ring.add(0, 3);
  expect(ring.add(2_000, 3).deletes).toEqual([0, 1, 2]);
  expect(ring.add(2_000, 3).deletes).toEqual([3, 4, 5]);
  for (let n = 0; n < 5; n++) ring.add(0, 3);
  expect(ring.kept()).toEqual([12, 13, 14, 15, 16]);
});

test("a chunk that is longer than the rest of the head is in the head, and shortens the tail", () => {
  const ring = new Ring({ head: 501, tail: 1_500 });
  for (let n = 0; n < 10; n++) ring.add(244, 10);
  // Each has 500 bytes: two in the head, which had one byte left, and two in the rest of the tail.
  expect(ring.kept()).toEqual([0, 1, 8, 9]);
});

test("a chunk larger than the whole budget is kept until the next one", () => {
  const ring = new Ring({ head: 0, tail: 1 });
  expect(ring.add(5_000, 10)).toEqual({ seq: 0, deletes: [] });
  expect(ring.add(5_000, 10)).toEqual({ seq: 1, deletes: [0] });
});
