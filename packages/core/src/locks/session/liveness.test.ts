import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { readable } from "../../channel/corrupt.js";
import { scribble } from "../../testing/scribble.js";
import { type LocksOf, World } from "../../testing/world.js";
import { processIdentity } from "../../util/process-state.js";
import { type SessionValue, sessionKey } from "../entries/schema.js";
import { Liveness, REMEMBERED } from "./liveness.js";

const TTL = 15_000;

let world: World;
let one: LocksOf;
let liveness: Liveness;

beforeEach(async () => {
  world = new World();
  one = await world.locks();
  liveness = new Liveness(one.channel, world.clock);
});

async function enter(id: string, process: Partial<SessionValue["process"]> = {}, ttl: number = TTL): Promise<void> {
  const value = { id, process: { ...processIdentity(), ...process }, since: 0, beat: 0 };
  await one.channel.set(sessionKey(id), value, { ttl });
}

describe("liveness of sessions", () => {
  test("a session without an entry is dead", async () => {
    expect(await liveness.isDead("nobody")).toBe(true);
  });

  test("a session that this version does not understand is alive until its entry expires", async () => {
    const process = { ...processIdentity(), started: "1" };
    const later = { id: "a", process, since: 0, beat: 0, by: "agent" };
    for (const value of [later, { id: "a", heart: 1 }, "text", null]) {
      await one.channel.set(sessionKey("a"), value as unknown as SessionValue, { ttl: TTL });
      liveness.forget("a");
      expect(await liveness.isDead("a"), JSON.stringify(value)).toBe(false);
      expect(await liveness.isDead("a", { recently: true })).toBe(false);
      await world.clock.advance(TTL - 1);
      expect(await liveness.isDead("a")).toBe(false);
      const entry = await one.channel.entry(sessionKey("a"));
      expect(entry !== undefined && liveness.looksDead("a", entry)).toBe(false);
      await world.clock.advance(1);
      expect(await liveness.isDead("a")).toBe(true);
    }
  });

  test("a session that cannot be decoded is alive until its entry expires", async () => {
    await scribble(one, sessionKey("a"), "{", { ttl: TTL });
    expect(await liveness.isDead("a")).toBe(false);
    for await (const found of readable(one.channel, { prefix: sessionKey("a") })) {
      expect(liveness.looksDead("a", found)).toBe(false);
    }
    await world.clock.advance(TTL);
    expect(await liveness.isDead("a")).toBe(true);
  });

  test("an entry that is not a session and never expires counts as removed", async () => {
    for (const text of ["{", "null", "{}"]) {
      await scribble(one, sessionKey("a"), text);
      expect(await liveness.isDead("a")).toBe(true);
    }
  });

  test("a session is read again by a caller that must know recently, only after a tenth of its ttl", async () => {
    await enter("a");
    const { reads } = one.way;
    await liveness.isDead("a");
    await world.clock.advance(TTL / 10 - 1);
    expect(await liveness.isDead("a", { recently: true })).toBe(false);
    expect(one.way.reads).toBe(reads + 1);
    await world.clock.advance(1);
    expect(await liveness.isDead("a", { recently: true })).toBe(false);
    expect(one.way.reads).toBe(reads + 2);
  });

  test("a session that a recent look found gone is gone for every later look", async () => {
    await enter("a");
    expect(await liveness.isDead("a")).toBe(false);
    await one.channel.unset(sessionKey("a"));
    await world.clock.advance(TTL / 10);
    expect(await liveness.isDead("a", { recently: true })).toBe(true);
    expect(await liveness.isDead("a")).toBe(true);
  });

  test("a session is alive while it has an entry, which is read again only when it would have expired", async () => {
    await enter("a");
    const { reads } = one.way;
    for (let i = 0; i < 10; i++) expect(await liveness.isDead("a")).toBe(false);
    await world.clock.advance(TTL - 1);
    expect(await liveness.isDead("a")).toBe(false);
    expect(one.way.reads).toBe(reads + 1);
    await enter("a");
    await world.clock.advance(1);
    expect(await liveness.isDead("a")).toBe(false);
    expect(one.way.reads).toBe(reads + 2);
    await world.clock.advance(TTL);
    expect(await liveness.isDead("a")).toBe(true);
  });

  test("a session of this host is dead as soon as its process is gone, whatever its entry says", async () => {
    await enter("a", { started: "1" });
    expect(await liveness.isDead("a")).toBe(true);
    expect(await liveness.isDead("a")).toBe(true);
  });

  test("a session is dead within moments when its process, which was seen alive, is killed", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1_000)"], { stdio: "ignore" });
    const ended = once(child, "exit");
    const started = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "";
    await enter("a", { pid: child.pid as number, started });
    expect(await liveness.isDead("a")).toBe(false);
    child.kill("SIGKILL");
    await ended;
    await world.clock.advance(100);
    expect(await liveness.isDead("a")).toBe(true);
    expect(await liveness.isDead("a")).toBe(true);
  });

  test("a session of another host or pid namespace is judged by its entry alone", async () => {
    await enter("a", { started: "1", boot: "another" });
    expect(await liveness.isDead("a")).toBe(false);
    await enter("b", { started: "1", namespace: "another" });
    expect(await liveness.isDead("b")).toBe(false);
  });

  test("a session is not taken for dead because the store is away", async () => {
    await enter("a");
    one.way.fault = () => ({ type: "refused" });
    await expect(liveness.isDead("a")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

test("more sessions than are remembered are judged right, and only those read longest ago are read again", async () => {
  const count = REMEMBERED + 100;
  for (let i = 0; i < count; i++) await enter(`${i}`, i % 2 === 0 ? {} : { started: "1" });
  for (let i = 0; i < count; i++) expect(await liveness.isDead(`${i}`)).toBe(i % 2 === 1);
  const { reads } = one.way;
  for (let i = 100; i < count; i++) expect(await liveness.isDead(`${i}`)).toBe(i % 2 === 1);
  expect(one.way.reads).toBe(reads);
  for (let i = 0; i < 100; i++) expect(await liveness.isDead(`${i}`)).toBe(i % 2 === 1);
  expect(one.way.reads).toBe(reads + 100);
  // The session that would be forgotten next is read again: another one is forgotten then.
  await world.clock.advance(TTL / 10);
  await liveness.isDead("200", { recently: true });
  await enter("another");
  await liveness.isDead("another");
  expect(one.way.reads).toBe(reads + 102);
  await liveness.isDead("200");
  expect(one.way.reads).toBe(reads + 102);
  await liveness.isDead("201");
  expect(one.way.reads).toBe(reads + 103);
});

test("the entry of a session that a scan brought counts as a read of the session", async () => {
  await enter("a");
  for await (const entry of one.channel.entries({ prefix: ["session"] }))
    expect(liveness.looksDead("a", entry)).toBe(false);
  const { reads } = one.way;
  expect(await liveness.isDead("a", { recently: true })).toBe(false);
  await world.clock.advance(TTL - 1);
  expect(await liveness.isDead("a")).toBe(false);
  expect(one.way.reads).toBe(reads);
  await world.clock.advance(1);
  expect(await liveness.isDead("a")).toBe(true);
});
