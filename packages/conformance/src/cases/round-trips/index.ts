import assert from "node:assert/strict";
import { openLocks } from "@ojm/core";
import type { Case, CaseGroup } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { rawKey, rawRange, readOne, write, writeIf } from "../../support/raw.js";

function counted(id: string, what: string, prepare: (t: CaseContext) => Promise<() => Promise<unknown>>): Case {
  return {
    id,
    law: `${what} is one round trip.`,
    needs: ["roundTrips"],
    async run(t) {
      const call = await prepare(t);
      // The first calls may load a script or open a connection.
      for (let i = 0; i < 3; i++) await call();
      assert.equal(await fewest(t, call), 1);
    },
  };
}

/**
 * The fewest round trips of a call, of many tries. Other traffic, such as keep-alives, can add to a try, but
 * can never make it look cheaper than it is.
 */
async function fewest(t: CaseContext, call: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const before = t.store.roundTrips?.() ?? 0;
    await call();
    least = Math.min(least, (t.store.roundTrips?.() ?? 0) - before);
  }
  return least;
}

/** The number of round trips of each operation. */
export const roundTrips: CaseGroup = {
  prefix: "RTT",
  title: "round trips",
  cases: [
    counted("RTT-001", "A read of one key", async (t) => {
      const client = await t.main();
      await write(client, { key: rawKey(t.name, "k"), value: "1" });
      return () => readOne(client, rawKey(t.name, "k"));
    }),
    counted("RTT-002", "A read of twenty keys", async (t) => {
      const client = await t.main();
      const keys = Array.from({ length: 20 }, (_, n) => rawKey(t.name, `k${n}`));
      return () => client.read(keys);
    }),
    counted("RTT-003", "A write", async (t) => {
      const client = await t.main();
      return () => write(client, { key: rawKey(t.name, "k"), value: "1" });
    }),
    counted("RTT-004", "A compare-and-set", async (t) => {
      const client = await t.main();
      const key = rawKey(t.name, "k");
      let version: string | null = null;
      return async () => {
        const outcome = await writeIf(client, key, version, "1");
        version = outcome.ok ? outcome.version : (outcome.current[0]?.version ?? null);
      };
    }),
    counted("RTT-005", "A compare-and-set that is refused", async (t) => {
      const client = await t.main();
      const key = rawKey(t.name, "k");
      await write(client, { key, value: "1" });
      return () => writeIf(client, key, null, "2");
    }),
    counted("RTT-006", "A commit of eight ops", async (t) => {
      const client = await t.main();
      const keys = Array.from({ length: 4 }, (_, n) => rawKey(t.name, `k${n}`));
      const absent = rawKey(t.name, "absent");
      return () =>
        client.commit({
          checks: [{ key: absent, version: null }],
          writes: [...keys.map((key) => ({ key, value: "1" })), { key: absent, value: null }],
        });
    }),
    counted("RTT-007", "A page of a hundred entries", async (t) => {
      const client = await t.main();
      const writes = Array.from({ length: 100 }, (_, n) => ({ key: rawKey(t.name, `k${n}`), value: "1" }));
      for (let i = 0; i < 100; i += 20) await write(client, ...writes.slice(i, i + 20));
      return () => client.scan({ ...rawRange(t.name), reverse: false, limit: 100, values: true });
    }),
    {
      id: "RTT-008",
      law: "Acquiring a free lock and releasing it take one round trip each.",
      needs: ["roundTrips", "ttl"],
      async run(t) {
        const channel = (await t.channel()) as unknown as Parameters<typeof openLocks>[0];
        const locks = openLocks(channel, { clock: t.clock });
        t.later(() => locks.close());
        await (await locks.acquire("warm")).release();
        const both = await fewest(t, async () => (await locks.acquire("job")).release());
        assert.equal(both, 2);
      },
    },
  ],
};
