import { beforeEach, expect, test } from "vitest";
import type { FakeClock } from "../../testing/fake-clock.js";
import { type LocksOf, World } from "../../testing/world.js";
import { type Holder, type LocksValue, type StopRequest, type StopRequestsValue, stopKey } from "../entries/schema.js";
import { stopRequestsIn } from "../entries/valid.js";
import type { Lease } from "./lease.js";
import { addRequest, removeRequests } from "./loss-watch.js";

const BY: Holder = { host: "h", pid: 1, instance: "1-x" };

let world: World;
let clock: FakeClock;
let one: LocksOf;
let two: LocksOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.locks();
  two = await world.locks();
});

const request = (fence: string, more: Partial<StopRequest> = {}): StopRequest => ({
  name: "a",
  fence,
  action: "cancel",
  reason: "r",
  by: BY,
  at: clock.now(),
  ...more,
});

const open = async (session: string): Promise<readonly unknown[]> =>
  ((await two.channel.get(stopKey(session))) as StopRequestsValue | undefined)?.requests ?? [];

/** Takes a lock whose owner records its requests. */
async function take(name: string): Promise<{ readonly lease: Lease; readonly asked: StopRequest[] }> {
  const asked: StopRequest[] = [];
  const owner = { prepare: () => ({}), refused: () => {}, onRequest: (it: StopRequest) => void asked.push(it) };
  return { lease: await one.locks.acquire(name, {}, owner), asked };
}

test("a request reaches the lease with its fence, and is removed then", async () => {
  const { lease, asked } = await take("a");
  const { instance } = (await two.locks.find("a"))?.holder ?? BY;
  await addRequest(two.channel, instance, request(lease.fence));
  await clock.advance(100);
  expect(asked).toEqual([expect.objectContaining({ fence: lease.fence, reason: "r" })]);
  expect(await open(instance)).toEqual([]);
});

test("a request for an earlier lease of the name does not reach the later one, and is gone after a minute", async () => {
  const { lease, asked } = await take("a");
  const { instance } = (await two.locks.find("a"))?.holder ?? BY;
  await addRequest(two.channel, instance, request("1"));
  await clock.advance(1_000);
  expect(asked).toEqual([]);
  expect(lease.signal.aborted).toBe(false);
  await clock.advance(60_000);
  expect(await open(instance)).toEqual([]);
});

test("a request to a session that is over is removed by the next sweep, and not before", async () => {
  const { lease } = await take("a");
  const { instance } = (await two.locks.find("a"))?.holder ?? BY;
  await addRequest(two.channel, instance, request("1"));
  await two.locks.sweep();
  expect(await open(instance)).toHaveLength(1);
  await lease.release();
  await clock.until(one.locks.close());
  await two.locks.sweep();
  expect(await two.channel.get(stopKey(instance))).toBeUndefined();
});

test("requests that are added at once are all kept", async () => {
  await Promise.all(["1", "2", "3"].map((fence) => addRequest(two.channel, "s", request(fence))));
  expect(
    stopRequestsIn(await two.channel.get(stopKey("s")))
      .map(({ fence }) => fence)
      .toSorted(),
  ).toEqual(["1", "2", "3"]);
});

test("of several requests only those that were carried out are removed, even while others are added", async () => {
  const [first, second, third] = [request("1"), request("2"), request("3")];
  await addRequest(two.channel, "s", first);
  await addRequest(two.channel, "s", second);
  await Promise.all([removeRequests(one.channel, "s", [first]), addRequest(two.channel, "s", third)]);
  expect(await open("s")).toEqual([second, third]);
  await removeRequests(one.channel, "s", [second, third]);
  expect(await two.channel.get(stopKey("s"))).toBeUndefined();
});

test("what is not a list of requests is neither carried out nor removed", async () => {
  const { asked } = await take("a");
  const { instance } = (await two.locks.find("a"))?.holder ?? BY;
  await two.channel.set(stopKey(instance), { requests: [{ name: "a" }] } as unknown as LocksValue);
  await clock.advance(1_000);
  expect(asked).toEqual([]);
});

/** A request of a later version: this one does not know its action. */
const later = (fence: string): object => ({ ...request(fence), action: "drain", grace: 5 });

test("a known request is carried out beside one with an unknown action, which stays", async () => {
  const { lease, asked } = await take("a");
  const { instance } = (await two.locks.find("a"))?.holder ?? BY;
  const unknown = later(lease.fence);
  await two.channel.set(stopKey(instance), { requests: [unknown, request(lease.fence)] } as unknown as LocksValue);
  await clock.advance(100);
  expect(asked.map(({ action }) => action)).toEqual(["cancel"]);
  expect(await open(instance)).toEqual([unknown]);
  await clock.advance(60_000);
  expect(await open(instance)).toEqual([]);
});

test("a request is added behind one with an unknown action, and unknown fields of the entry stay", async () => {
  const unknown = later("1");
  await one.channel.set(stopKey("s"), { requests: [unknown], more: 1 } as unknown as LocksValue);
  const added = request("2");
  await addRequest(two.channel, "s", added);
  expect(await two.channel.get(stopKey("s"))).toEqual({ requests: [unknown, added], more: 1 });
  await removeRequests(one.channel, "s", [added]);
  expect(await two.channel.get(stopKey("s"))).toEqual({ requests: [unknown], more: 1 });
});
