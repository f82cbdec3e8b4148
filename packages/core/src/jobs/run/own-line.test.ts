import { beforeEach, expect, test } from "vitest";
import type { Lease } from "../../locks/hold/lease.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { OwnLine, OwnLines, type Turn } from "./own-line.js";

let clock: FakeClock;
let line: OwnLine;
/** What was acquired, with the names of the runs that waited then, and what was released. */
let events: string[];

beforeEach(() => {
  clock = new FakeClock(1);
  line = new OwnLine(clock);
  events = [];
});

const never = new AbortController().signal;

function place(names: readonly string[]): Promise<Lease> {
  events.push(`acquired for ${names.join(", ")}`);
  const lease = { signal: never, release: () => Promise.resolve(void events.push("released")) };
  return Promise.resolve(lease as unknown as Lease);
}

const enter = (name: string, over = never): Promise<Turn | undefined> => line.enter(name, over, place);

const NEXT = { next: 2, keep: 1_000, version: "0000000000000000007" };

test("the runs of a process take turns at one place, in order of arrival, and learn what the one before wrote", async () => {
  const first = await enter("a");
  const others = ["b", "c"].map((name) => enter(name));
  first?.end(NEXT);
  const second = await others[0];
  expect(second?.next).toEqual(NEXT);
  // It gave up: the third run must read for itself.
  second?.end(undefined);
  const third = await others[1];
  expect(third?.next).toBeUndefined();
  expect(line.isEmpty).toBe(false);
  third?.end(NEXT);
  expect(line.isEmpty).toBe(true);
  expect(events).toEqual(["acquired for ", "released"]);
});

test("when its turn is over, a process gets in line again, behind the others", async () => {
  const first = await enter("a");
  const others = ["b", "c"].map((name) => enter(name));
  await clock.advance(1_000);
  first?.end(NEXT);
  const second = await others[0];
  expect(second?.next).toBeUndefined();
  expect(events).toEqual(["acquired for ", "released", "acquired for c"]);
  second?.end(NEXT);
  (await others[1])?.end(NEXT);
});

test("a run that gives up its wait, before or at its turn, does not stop the others", async () => {
  const first = await enter("a");
  const over = new AbortController();
  const impatient = enter("b", over.signal);
  const last = enter("c");
  over.abort();
  expect(await impatient).toBeUndefined();
  expect(await enter("d", over.signal)).toBeUndefined();
  first?.end(NEXT);
  first?.end(undefined);
  expect((await last)?.next).toEqual(NEXT);
});

test("an error of the store goes to the run whose turn it is, and the next run tries again", async () => {
  const away = (): Promise<Lease> => Promise.reject(new Error("the store is away"));
  const failing = line.enter("a", never, away);
  const next = enter("b");
  await expect(failing).rejects.toThrow("the store is away");
  expect(await next).toBeDefined();
  expect(events).toEqual(["acquired for "]);
});

test("a line that no run uses is forgotten, and one in use is not", async () => {
  const lines = new OwnLines(clock);
  const used = lines.of("smtp");
  const turn = await used.enter("a", never, place);
  const idle = lines.of("other");
  expect(lines.of("smtp")).toBe(used);
  expect(lines.of("other")).not.toBe(idle);
  turn?.end(undefined);
});
