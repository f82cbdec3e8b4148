import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError } from "../../channel/errors.js";
import { openChannel } from "../../channel/open.js";
import type { Entry } from "../../channel/types.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { scribble } from "../../testing/scribble.js";
import type { Fault, FaultyBackend } from "../../testing/stores/faulty-backend.js";
import { World } from "../../testing/world.js";
import {
  type LocksValue,
  type LockValue,
  lifeInStore,
  lockKey,
  queueKey,
  type SessionValue,
  sessionKey,
} from "../entries/schema.js";
import { BackupHeartbeat } from "./backup-heartbeat.js";
import { SharedDeadline } from "./heartbeat-thread.js";

const TTL = 15_000;
const ID = "1-session";
const holder = { host: "here", pid: 1, instance: ID };

let clock: FakeClock;
let way: FaultyBackend;
let deadlines: SharedDeadline;
let backupHeartbeat: BackupHeartbeat;
let opened: number;
/** How long it takes to open the store, in ms. */
let opening: number;
/** Whether the store refuses to be opened. */
let refused: boolean;
let asked: number;
/** Whether the main thread answers; called when it is asked. */
let answers: () => boolean;
let timedOut: Entry<LockValue>[];

const open = () => openChannel<LocksValue>("locks", { backend: way, clock });

beforeEach(async () => {
  const world = new World();
  clock = world.clock;
  way = await world.way();
  deadlines = new SharedDeadline();
  opened = 0;
  opening = 0;
  refused = false;
  asked = 0;
  answers = () => false;
  timedOut = [];
  backupHeartbeat = new BackupHeartbeat({
    session: ID,
    ttl: TTL,
    clock,
    deadlines,
    open: async () => {
      opened++;
      if (opening > 0) await new Promise<void>((resolve) => void clock.after(opening, resolve));
      if (refused) throw new ChannelError("UNAVAILABLE", "refused");
      return open();
    },
    mainAnswers: async () => {
      asked++;
      return answers();
    },
    onTimeout: async (lock) => void timedOut.push(lock),
  });
  await beat();
  deadlines.timeout = Number.POSITIVE_INFINITY;
});

/** A renewal of the main thread. */
async function beat(life = TTL): Promise<void> {
  const now = clock.monotonic();
  const value = { id: ID, since: 0, beat: 0, process: { host: "here", pid: 1, boot: "", namespace: "", started: "1" } };
  await (await open()).set(sessionKey(ID), value as SessionValue, { ttl: life });
  deadlines.renewed(now + TTL, now);
}

async function take(name: string, timeout: number, instance: string = ID): Promise<void> {
  const until = clock.monotonic() + timeout;
  const value = { name, holder: { ...holder, instance }, token: `of ${name}`, since: 0, timeout, until };
  await (await open()).set(lockKey(name), value);
  deadlines.timeout = Math.min(deadlines.timeout, until);
}

const stored = async (key: ReturnType<typeof lockKey>) => (await open()).entry(key);

describe("a backup heartbeat while the main thread renews the session", () => {
  test("a backup heartbeat opens nothing and asks nothing while the main thread renews the session", async () => {
    backupHeartbeat.look();
    for (let i = 0; i < 30; i++) {
      await clock.advance(TTL / 3);
      await beat();
    }
    expect([opened, asked]).toEqual([0, 0]);
    await backupHeartbeat.stop();
    expect(clock.pending).toBe(0);
  });

  test("a backup heartbeat leaves timeouts to a main thread that answers", async () => {
    await take("a", 1_000);
    answers = () => {
      deadlines.timeout = Number.POSITIVE_INFINITY;
      return true;
    };
    backupHeartbeat.look();
    await clock.advance(5_000);
    expect([opened, asked]).toEqual([0, 1]);
    expect(await stored(lockKey("a"))).toBeDefined();
  });
});

describe("a backup heartbeat while the main thread does not renew the session", () => {
  test("the session and its locks live on through the backup heartbeat", async () => {
    await take("a", 100 * TTL);
    backupHeartbeat.look();
    for (let i = 0; i < 200; i++) {
      await clock.advance(TTL / 10);
      expect(deadlines.deadline).toBeGreaterThan(clock.monotonic());
      expect((await stored(sessionKey(ID)))?.expiresIn).toBeGreaterThan(0);
    }
    expect(opened).toBe(1);
    expect(await stored(lockKey("a"))).toBeDefined();
  });

  test("the connection is open before the renewal is due, if the main thread is late", async () => {
    opening = TTL / 12;
    backupHeartbeat.look();
    const before = deadlines.deadline;
    await clock.advance(TTL / 2 - 10);
    expect([opened, deadlines.deadline]).toEqual([1, before]);
    await clock.advance(20);
    expect(deadlines.deadline).toBeGreaterThan(before);
  });

  test("a connection that fails to open is tried again, at a pause", async () => {
    backupHeartbeat.look();
    refused = true;
    await clock.advance(TTL / 2);
    expect(opened).toBeGreaterThan(1);
    expect(opened).toBeLessThan(10);
    refused = false;
    await clock.advance(TTL / 4);
    expect(deadlines.deadline).toBeGreaterThan(clock.monotonic() + TTL / 2);
  });

  test("a connection that takes long to open renews the session at once, without a second attempt", async () => {
    opening = TTL / 4;
    backupHeartbeat.look();
    const before = deadlines.deadline;
    await clock.advance(TTL / 2 + TTL / 4 + 20);
    expect(deadlines.deadline).toBeGreaterThan(before);
    expect(opened).toBe(1);
  });

  test("the session is renewed even if the store fails now and then", async () => {
    let call = 0;
    way.fault = () => (++call % 3 === 0 ? { type: "refused" } : undefined);
    backupHeartbeat.look();
    await clock.advance(10 * TTL);
    expect(deadlines.deadline).toBeGreaterThan(clock.monotonic());
  });

  test("a session counts its life from when its last renewal was sent, and ends before its entry expires", async () => {
    const slow: Fault = { type: "slow reply", ms: TTL / 10 };
    way.fault = (call) => (call.kind === "commit" ? slow : undefined);
    backupHeartbeat.look();
    await clock.advance(5 * TTL);
    expect(deadlines.deadline).toBeGreaterThan(clock.monotonic());
    way.fault = (call) => (call.kind === "commit" ? { type: "request lost" } : undefined);
    while (clock.monotonic() < deadlines.deadline) {
      expect(await stored(sessionKey(ID))).toBeDefined();
      await clock.advance(50);
    }
  });

  test("the main thread takes over the renewals again when it is back", async () => {
    backupHeartbeat.look();
    await clock.advance(5 * TTL);
    const before = asked;
    for (let i = 0; i < 9; i++) {
      await beat();
      await clock.advance(TTL / 3);
    }
    expect(asked).toBe(before);
  });

  test("a lock past its timeout is given back after its cleanup, and no other lock", async () => {
    await take("late", 1_000);
    await take("later", 3 * TTL);
    await take("of others", 1_000, "another session");
    backupHeartbeat.look();
    await clock.advance(1_200);
    expect(timedOut.map(({ value }) => value.name)).toEqual(["late"]);
    expect(await stored(lockKey("late"))).toBeUndefined();
    await clock.advance(3 * TTL - 1_300);
    expect(await stored(lockKey("later"))).toBeDefined();
    await clock.advance(300);
    expect(await stored(lockKey("later"))).toBeUndefined();
    expect(await stored(lockKey("of others"))).toBeDefined();
  });

  test("the tickets of a session stay as long as the main thread renews the session", async () => {
    const mine = { session: ID, token: "mine" };
    await (await open()).set(queueKey("b"), { waiting: [mine] });
    await take("late", 1_000);
    backupHeartbeat.look();
    await clock.advance(1_200);
    expect(await stored(lockKey("late"))).toBeUndefined();
    expect((await stored(queueKey("b")))?.value).toEqual({ waiting: [mine] });
  });

  test("a stopped backup heartbeat gives back no more locks, even in the middle of a look", async () => {
    await take("late", 1_000);
    const scan = way.scan.bind(way);
    way.scan = async (...args) => {
      const answer = await scan(...args);
      void backupHeartbeat.stop();
      return answer;
    };
    backupHeartbeat.look();
    await clock.advance(1_200);
    way.scan = scan;
    expect(await stored(lockKey("late"))).toBeDefined();
    expect(timedOut).toEqual([]);
  });

  test("a lock past its timeout is given back even where another lock holds foreign data", async () => {
    await scribble({ way, channel: await open() }, lockKey("a"), "no JSON");
    await take("late", 1_000);
    backupHeartbeat.look();
    await clock.advance(1_200);
    expect(await stored(lockKey("late"))).toBeUndefined();
  });

  test("a lock is given back at its timeout even if it was taken after the next look was planned", async () => {
    backupHeartbeat.look();
    await clock.advance(100);
    expect(deadlines.nextLook).toBeGreaterThan(clock.monotonic() + TTL / 3);
    await take("a", 1_000);
    backupHeartbeat.look();
    await clock.advance(1_200);
    expect(await stored(lockKey("a"))).toBeUndefined();
  });

  test("the tickets of a session whose main thread is busy are withdrawn, and those of others stay", async () => {
    const others = { session: "another session", token: "x" };
    await (await open()).set(queueKey("a"), { waiting: [{ session: ID, token: "mine" }, others] });
    backupHeartbeat.look();
    await clock.advance(TTL);
    expect((await stored(queueKey("a")))?.value).toEqual({ waiting: [others] });
  });
});

test("tickets that the store refused to remove after a renewal are withdrawn with the next attempt", async () => {
  await (await open()).set(queueKey("a"), { waiting: [{ session: ID, token: "mine" }] });
  way.once('"a', { type: "refused" });
  backupHeartbeat.look();
  await clock.advance(TTL / 2 + 100);
  expect(deadlines.deadline).toBeGreaterThan(clock.monotonic() + TTL - 200);
  expect(await stored(queueKey("a"))).toBeDefined();
  await clock.advance(200);
  expect(await stored(queueKey("a"))).toBeUndefined();
});

test("tickets that the store refused to remove stay once the main thread answers again", async () => {
  await (await open()).set(queueKey("a"), { waiting: [{ session: ID, token: "mine" }] });
  way.once('"a', { type: "refused" });
  backupHeartbeat.look();
  await clock.advance(TTL / 2 + 100);
  answers = () => true;
  const before = asked;
  await clock.advance(200);
  await beat();
  answers = () => false;
  await clock.advance(TTL / 3);
  expect(asked).toBe(before + 1);
  expect(await stored(queueKey("a"))).toBeDefined();
});

test("a store that is away is asked a few times each second, not as often as there is time for", async () => {
  backupHeartbeat.look();
  await clock.advance(TTL / 2 - 1);
  let calls = 0;
  way.fault = () => {
    calls++;
    return { type: "refused" };
  };
  await clock.advance(5_000);
  expect(calls).toBeGreaterThan(5);
  expect(calls).toBeLessThan(50);
});

describe("a backup heartbeat of a session that is gone", () => {
  test("a session gone from the store is never brought back, and the main thread sees the loss", async () => {
    await (await open()).unset(sessionKey(ID));
    backupHeartbeat.look();
    await clock.advance(10 * TTL);
    expect(deadlines.lost).toBe(true);
    expect(await stored(sessionKey(ID))).toBeUndefined();
  });

  test("a session that was overwritten is reported lost to the main thread", async () => {
    await scribble({ way, channel: await open() }, sessionKey(ID), "no JSON");
    backupHeartbeat.look();
    await clock.advance(TTL);
    expect(deadlines.lost).toBe(true);
  });

  test("a session that expired while the store was away stays gone", async () => {
    way.fault = () => ({ type: "refused" });
    backupHeartbeat.look();
    await clock.advance(2 * TTL);
    way.fault = () => undefined;
    const before = deadlines.deadline;
    await clock.advance(2 * TTL);
    expect(deadlines.deadline).toBe(before);
    deadlines.renewed(clock.monotonic() + TTL, clock.monotonic());
    expect(deadlines.deadline).toBe(before);
  });

  test("a thread that stood still beyond the deadline does not renew the session, though its entry is still there", async () => {
    await beat(lifeInStore(TTL));
    const read = way.read.bind(way);
    way.read = async (...args) => {
      const answer = await read(...args);
      clock.block(Math.max(0, deadlines.deadline - clock.monotonic()));
      return answer;
    };
    const commits = way.commits.length;
    backupHeartbeat.look();
    await clock.advance(TTL);
    expect(clock.monotonic()).toBe(deadlines.deadline);
    expect(await stored(sessionKey(ID))).toBeDefined();
    await clock.advance(100);
    expect(way.commits.length).toBe(commits);
  });

  test("a backup heartbeat that was stopped writes no more", async () => {
    backupHeartbeat.look();
    await clock.advance(TTL);
    await backupHeartbeat.stop();
    const commits = way.commits.length;
    await clock.advance(TTL);
    expect(way.commits.length).toBe(commits);
  });
});
