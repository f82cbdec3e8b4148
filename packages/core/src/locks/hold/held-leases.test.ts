import { expect, test } from "vitest";
import { scribble } from "../../testing/scribble.js";
import { type LocksOf, World } from "../../testing/world.js";
import { lockKey } from "../entries/schema.js";
import { HeldLeases } from "./held-leases.js";
import type { Lease } from "./lease.js";

/** Two leases, and a {@link HeldLeases} of its own for them. */
async function twoHeld(): Promise<{ one: LocksOf; held: HeldLeases; leases: readonly [Lease, Lease] }> {
  const one = await new World().locks();
  const held = new HeldLeases(one.channel);
  const leases = [await one.locks.acquire("a"), await one.locks.acquire("b")] as const;
  for (const lease of leases) held.add(lease);
  return { one, held, leases };
}

test("a lease whose lock was overwritten is lost, and the leases checked with it are not", async () => {
  const { one, held, leases } = await twoHeld();
  await scribble(one, lockKey("a"), "no JSON");
  await held.findLost(leases);
  expect(leases.map((lease) => lease.held)).toEqual([false, true]);
});

test("a look at leases fails if the store goes away while each is checked alone", async () => {
  const { one, held, leases } = await twoHeld();
  await scribble(one, lockKey("a"), "no JSON");
  // The store answers the commit that checks both, and one entry was overwritten.
  one.way.fault = (call) =>
    call.kind === "commit" && call.commit.checks.length === 1 ? { type: "refused" } : undefined;
  await expect(held.findLost(leases)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  one.way.fault = () => undefined;
  await held.findLost(leases);
  expect(leases.map((lease) => lease.held)).toEqual([false, true]);
});
