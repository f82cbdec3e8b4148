import { expect, test } from "vitest";
import { settled } from "../../testing/fake-clock.js";
import { World } from "../../testing/world.js";
import { CurrentSession } from "./current-session.js";

async function currentSession(world: World): Promise<CurrentSession> {
  const { channel } = await world.locks();
  const nothing = () => async (): Promise<void> => {};
  const use = { ttl: 15_000, thread: false, records: undefined, earliestTimeout: () => 0, onBeat: nothing };
  return new CurrentSession(channel, world.clock, use);
}

test("the living session is known without a promise once a caller got it, and only while it lives", async () => {
  const sessions = await currentSession(new World());
  expect(sessions.living).toBeUndefined();
  const first = await sessions.current();
  expect(sessions.living).toBe(first);
  first.lose("it is over");
  expect(sessions.living).toBeUndefined();
  const second = await sessions.current();
  expect(second).not.toBe(first);
  expect(sessions.living).toBe(second);
  sessions.close();
  expect(sessions.living).toBeUndefined();
});

test("a session that comes to its rest is not given to any caller, from that moment on", async () => {
  const sessions = await currentSession(new World());
  const first = await sessions.current();
  const late = sessions.current();
  sessions.rest();
  expect(sessions.living).toBeUndefined();
  // An earlier caller gets the old session, but must not bring it back for others.
  expect(await late).toBe(first);
  expect(sessions.living).toBeUndefined();
  const next = await sessions.current();
  expect(next).not.toBe(first);
  await settled();
  expect(sessions.living).toBe(next);
});
