import { expect, it } from "vitest";
import { World } from "../testing/world.js";

const MINUTE = { every: 60_000 };
const names = Array.from({ length: 60 }, (_, i) => `job ${i}`);

it("a process that joins others reads each schedule once, and the ticks of those only that it may run", async () => {
  const world = new World();
  for (const name of ["one", "two", "three", "four"]) {
    const { scheduler, body } = await world.scheduler(name);
    for (const job of names) await world.clock.until(scheduler.add(job, MINUTE, body()));
    await world.clock.advance(1_000);
  }
  const five = await world.scheduler("five");
  await world.clock.until(five.scheduler.add("another", MINUTE, five.body()));
  const before = five.way.reads;
  for (const job of names) await world.clock.until(five.scheduler.add(job, MINUTE, five.body()));
  const mayRun = (2 / 5) * names.length;
  expect(five.way.reads - before).toBeGreaterThanOrEqual(names.length);
  expect(five.way.reads - before).toBeLessThan(names.length + 2 * mayRun);
  await world.close();
});

it("a process that needs long to add its schedules notifies the others ever more seldom", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  const minute = Array.from({ length: 600 }, (_, i) => `job ${i}`);
  for (const job of minute) {
    await world.clock.until(one.scheduler.add(job, { cron: "0 3 * * *" }, one.body()));
    await world.clock.advance(100);
  }
  const lists = one.way.commits.filter(({ writes }) =>
    writes.some(({ key, value }) => key.includes("member") && value !== undefined && String(value).includes("job 0")),
  );
  expect(lists.length).toBeGreaterThan(5);
  expect(lists.length).toBeLessThan(25);
  await world.close();
});

it("a process that adds schedules one after the other shows all the time that it is there", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  for (let i = 0; i < 300; i++) {
    await world.clock.until(one.scheduler.add(`job ${i}`, { cron: "0 3 * * *" }, one.body()));
    await world.clock.advance(90);
  }
  const channel = await one.manager.channel("oJobManager-schedules");
  expect(await world.clock.until(channel.get(["member", "one"]))).toMatchObject({ by: { instance: "one" } });
  await world.close();
});

it("a cursor that the store has lost begins again", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  await world.clock.until(one.scheduler.add("a", MINUTE, one.body()));
  await world.until("00:01:30");
  const channel = await one.manager.channel("oJobManager-schedules");
  await world.clock.until(channel.unset(["cursor", "a"]));
  await world.until("00:05:00");
  expect(one.ran).toEqual(["00:01:00", "00:03:00", "00:04:00", "00:05:00"]);
  await world.close();
});
