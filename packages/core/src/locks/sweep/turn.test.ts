import { hostname } from "node:os";
import { beforeEach, describe, expect, test } from "vitest";
import { scribble } from "../../testing/scribble.js";
import { type LocksOf, World } from "../../testing/world.js";
import { type LocksValue, sweepKey } from "../entries/schema.js";
import { chance, Turn } from "./turn.js";

const LIFE = 1_000;

let world: World;
let one: LocksOf;
let two: LocksOf;

beforeEach(async () => {
  world = new World();
  one = await world.locks();
  two = await world.locks();
});

const turnOf = ({ channel }: LocksOf): Turn => new Turn(channel, world.clock, sweepKey, LIFE);

describe("turns", () => {
  test("a free turn is taken by exactly one of two that want it", async () => {
    const turns = [turnOf(one), turnOf(two)];
    expect(await Promise.all(turns.map((turn) => turn.take()))).toEqual([true, false]);
  });

  test("a turn is taken though foreign entries lie behind its key", async () => {
    await one.channel.set([...(sweepKey as string[]), "theirs"], {} as LocksValue);
    await one.way.commit({ checks: [], writes: [{ key: 'locks ["sweep', value: "theirs" }] });
    const turns = [turnOf(one), turnOf(two)];
    expect([await turns[0]?.take(), await turns[1]?.take()]).toEqual([true, false]);
  });

  test("the entry of a turn says who has the turn, and since when", async () => {
    await turnOf(one).take();
    const { by, at } = (await two.channel.get(sweepKey)) as { by: object; at: number };
    expect([by, at]).toEqual([{ host: hostname(), pid: process.pid }, world.clock.now()]);
  });

  test("a turn is free again when it was not kept for its life, counted from when that was first seen", async () => {
    await turnOf(one).take();
    await world.clock.advance(LIFE - 1);
    const turn = turnOf(two);
    expect(await turn.take()).toBe(false);
    await world.clock.advance(LIFE - 1);
    expect(await turn.take()).toBe(false);
    await world.clock.advance(1);
    expect(await turn.take()).toBe(true);
  });

  test("a turn stays with the process that keeps it", async () => {
    const [mine, theirs] = [turnOf(one), turnOf(two)];
    await mine.take();
    for (let i = 0; i < 10; i++) {
      await world.clock.advance(LIFE / 2);
      expect(await mine.keep()).toBe(true);
      expect(await theirs.take()).toBe(false);
    }
    for (let i = 0; i < 10; i++) {
      await world.clock.advance(LIFE / 2);
      expect(await mine.hold()).toBe(true);
      expect(await theirs.hold()).toBe(false);
    }
  });

  test("an attempt to take a turn that another process has costs one call", async () => {
    await turnOf(one).take();
    const turn = turnOf(two);
    const calls = (): number => two.way.reads + two.way.commits.length;
    const before = calls();
    for (let i = 0; i < 5; i++) await turn.take();
    expect(calls()).toBe(before + 5);
  });

  test("a turn that another process took during a standstill is not kept any more", async () => {
    const [mine, theirs] = [turnOf(one), turnOf(two)];
    await mine.take();
    await theirs.take();
    await world.clock.advance(LIFE);
    expect(await theirs.take()).toBe(true);
    expect(await mine.keep()).toBe(false);
    expect(await mine.hold()).toBe(false);
  });

  test.each(["no JSON", "null", "{}"])("an overwritten turn is free once its life is over: %s", async (text) => {
    const mine = turnOf(one);
    await mine.take();
    await scribble(two, sweepKey, text);
    await world.clock.advance(LIFE);
    expect(await mine.keep()).toBe(false);
    const turn = turnOf(two);
    expect(await turn.take()).toBe(false);
    await world.clock.advance(LIFE);
    expect(await turn.take()).toBe(true);
  });

  test("a turn is free at once in a store that lost its data", async () => {
    await turnOf(one).take();
    const turn = turnOf(two);
    await turn.take();
    await one.channel.unset(sweepKey);
    expect(await turn.take()).toBe(true);
  });
});

test("chance() is from 0 up to 1, and is spread evenly", () => {
  const rolls = Array.from({ length: 2_000 }, () => chance(world.clock));
  expect(Math.min(...rolls)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...rolls)).toBeLessThan(1);
  for (let part = 0; part < 4; part++) {
    const within = rolls.filter((roll) => roll >= part / 4 && roll < (part + 1) / 4);
    expect(within.length).toBeGreaterThan(400);
  }
});
