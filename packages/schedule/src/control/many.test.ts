import { damagedEntries } from "@ojm/core/internal/operator";
import { expect, test } from "vitest";
import { calendarOf } from "../definition/calendar.js";
import { CHANNEL, cursorKey, type SchedulesValue, scheduleKey } from "../store/schema.js";
import { type SchedulerOf, World } from "../testing/world.js";
import { scheduleDamage } from "./ticks.js";

const COUNT = 200;

/** The most CPU time of a loop between two turns of the event loop on average, in ms. */
const MOST = 100;

/** A store with many schedules, each with another cron expression. */
async function many(minute: number): Promise<SchedulerOf> {
  const world = new World();
  const one = await world.scheduler("one");
  const channel = await one.manager.channel<SchedulesValue>(CHANNEL);
  for (let i = 0; i < COUNT; i++) {
    const name = `job ${i}`;
    const cron = `${minute} ${i % 24} ${1 + (Math.floor(i / 24) % 28)} * *`;
    const definition = { cron, timeZone: "Europe/Lisbon" };
    await channel.set(scheduleKey(name), { name, definition, hash: "h", since: 0, revision: 1, past: [] });
    await channel.set(cursorKey(name), { at: world.clock.now() });
  }
  return one;
}

/** The number of turns that other work got during a computation, and the CPU time of all. */
async function turnsOf(work: () => Promise<void>): Promise<{ readonly turns: number; readonly cpu: number }> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const began = process.cpuUsage();
  await work();
  isOver = true;
  const { user, system } = process.cpuUsage(began);
  return { turns, cpu: (user + system) / 1_000 };
}

test("a list of many schedules lets other work of the process run", async () => {
  const one = await many(1);
  const names: string[] = [];
  const { turns, cpu } = await turnsOf(async () => {
    for await (const { name } of one.scheduler.schedules()) names.push(name);
  });
  expect(names.length).toBe(COUNT);
  expect(turns).toBeGreaterThan(cpu / MOST);
});

test("a second list of many schedules costs a small part of the first", async () => {
  const one = await many(3);
  const list = async (): Promise<void> => {
    for await (const { next } of one.scheduler.schedules()) expect(next.length).toBe(1);
  };
  const first = await turnsOf(list);
  // Other work of the process counts, too: take the least of several.
  const later: number[] = [];
  for (let i = 0; i < 5; i++) later.push((await turnsOf(list)).cpu);
  expect(Math.min(...later)).toBeLessThan(first.cpu / 2);
});

test("a search for damage among many schedules lets other work of the process run", async () => {
  const one = await many(2);
  const { turns, cpu } = await turnsOf(async () => {
    for await (const _ of damagedEntries(one.manager, [scheduleDamage], 10_000)) throw new Error("nothing is damaged");
  });
  expect(turns).toBeGreaterThan(cpu / MOST);
});

test("the next tick of a calendar is the same whether it is computed or remembered", () => {
  const crons = ["*/7 * * * *", "30 1 * * *", "0 2 29 2 *", "15 30 3 * * SUN"];
  for (const timeZone of ["UTC", "Europe/Lisbon", "America/New_York"]) {
    for (const cron of crons) {
      const start = Date.parse("2030-10-26T22:13:00Z");
      const first = calendarOf({ cron, timeZone }).next(start);
      for (const after of [start, start + 1, first - 1, first, first + 1, start - 1, start - 86_400_000]) {
        const again = calendarOf({ cron, timeZone }).next(after);
        expect(again, `${cron} ${timeZone} ${after - start}`).toBe(fresh(cron, timeZone, after));
      }
    }
  }
});

/** With an equal expression that was never read before: it has a space at its end. */
let spaces = 0;
function fresh(cron: string, timeZone: string, after: number): number {
  spaces++;
  return calendarOf({ cron: cron + " ".repeat(spaces), timeZone }).next(after);
}
