import assert from "node:assert/strict";
import { type Lease, LockError, type Locks, openLocks } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";
import type { CaseGroup } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { assertIncreasing } from "../../support/assert.js";
import { Brief } from "../ttl/clocked.js";

type LocksChannel = Parameters<typeof openLocks>[0];

/** Locks over the backend, as jobs use them. */
export const locks: CaseGroup = {
  prefix: "LCK",
  title: "locks on top",
  cases: [
    {
      id: "LCK-001",
      law: "Of many who want a lock, one has it at a time, and each has a higher fence than those before.",
      scales: true,
      needs: ["ttl"],
      async run(t) {
        const clients = await t.clients(3);
        const all = await Promise.all(clients.map((by) => locksOf(t, by)));
        const fences: string[] = [];
        let holders = 0;
        const work = all.map(async (mine) => {
          for (let i = 0; i < t.scale(4, 12, 200); i++) {
            const lease = await mine.acquire("shared", { wait: 120_000 });
            assert.equal(++holders, 1, "two hold the lock at once");
            fences.push(lease.fence);
            lease.assertHeld();
            await t.breathe();
            holders--;
            await lease.release();
          }
        });
        await t.whileTimePasses(Promise.all(work));
        assertIncreasing(fences, "the fences of a lock");
      },
    },
    {
      id: "LCK-002",
      law: "An attempt on a taken lock reports its holder, and changes nothing for that holder.",
      needs: ["ttl"],
      async run(t) {
        const [one, two] = await t.clients(2);
        const [mine, theirs] = [await locksOf(t, one), await locksOf(t, two)];
        const lease = await mine.acquire("job");
        await assert.rejects(theirs.acquire("job"), (error: unknown) => {
          assert.ok(error instanceof LockError);
          assert.equal(error.code, "LOCKED");
          return true;
        });
        assert.equal((await theirs.find("job"))?.fence, lease.fence);
        assert.ok(lease.held);
        await lease.release();
        await (await theirs.acquire("job")).release();
      },
    },
    {
      id: "LCK-003",
      law: "Those who wait get the lock in the order in which they came.",
      needs: ["ttl", "watch"],
      async run(t) {
        const clients = await t.clients(4);
        const [first, ...others] = await Promise.all(clients.map((by) => locksOf(t, by)));
        const lease = await first?.acquire("queue");
        const order: number[] = [];
        const waiting: Promise<void>[] = [];
        for (const [n, other] of others.entries()) {
          const turn = async (mine: Lease): Promise<void> => {
            order.push(n);
            await mine.release();
          };
          waiting.push(other.acquire("queue", { wait: 120_000 }).then(turn));
          await t.elapseUntil("it waits", async () => (await first?.find("queue"))?.waiting === n + 1);
        }
        await lease?.release();
        await t.whileTimePasses(Promise.all(waiting));
        assert.deepEqual(order, [0, 1, 2]);
      },
    },
    {
      id: "LCK-004",
      law: "A lock whose holder fell silent passes on after its time, and the old holder's late release takes nothing away.",
      needs: ["ttl"],
      async run(t) {
        const [one, two] = await t.clients(2);
        const ttl = 400;
        const channel = await lockChannel(t, one);
        const old = openLocks(channel, { ttl, clock: t.clock });
        t.later(() => old.close({ grace: 0 }).catch(() => {}));
        let lease: Lease | undefined;
        const brief = await Brief.write(t, ttl, async () => {
          lease = await old.acquire("job");
        });
        // The heartbeats of the old holder no longer reach the store.
        await channel.close();
        await brief.gone();
        const heir = await locksOf(t, two);
        const next = await t.whileTimePasses(heir.acquire("job", { wait: 60_000 }));
        assertIncreasing([lease?.fence ?? "", next.fence], "the fence of the heir");
        await lease?.release().catch(() => {});
        assert.equal((await heir.find("job"))?.fence, next.fence, "the old holder took the lock away");
        next.assertHeld();
      },
    },
    {
      id: "LCK-005",
      law: "A write that checks the fence is refused for a holder that has lost its lock.",
      needs: ["ttl"],
      async run(t) {
        const [one, two] = await t.clients(2);
        const [mine, theirs] = [await locksOf(t, one), await locksOf(t, two)];
        const channel = await lockChannel(t, one);
        const lease = await mine.acquire("job");
        const guarded = (value: string) =>
          channel.commit([
            { check: ["lock", "job"], version: lease.fence },
            { put: ["result"], value: { waiting: [{ session: value, token: value }] } },
          ]);
        assert.ok((await guarded("in time")).ok);
        assert.equal((await theirs.forceUnlock("job", "the test says so"))?.fence, lease.fence);
        assert.ok(!(await guarded("late")).ok, "a stale holder wrote");
        const next = await theirs.acquire("job");
        assert.ok(!(await guarded("later")).ok, "a stale holder wrote");
        assertIncreasing([lease.fence, next.fence], "the fences of a lock");
      },
    },
  ],
};

async function lockChannel(t: CaseContext, by: Backend | undefined): Promise<LocksChannel> {
  return (await t.channel(by === undefined ? {} : { by })) as unknown as LocksChannel;
}

async function locksOf(t: CaseContext, by: Backend | undefined): Promise<Locks> {
  const made = openLocks(await lockChannel(t, by), { clock: t.clock });
  // A case is over: nothing is left to wait for.
  t.later(() => made.close({ grace: 0 }));
  return made;
}
