import { expect, test } from "vitest";
import { openChannel } from "../../channel/open.js";
import { rejection } from "../../testing/settle.js";
import { systemClock } from "../../util/clock.js";
import type { PendingRetry, StartingRun } from "../types.js";
import { claimOf, retryKey } from "./pending.js";

test("of two processes that claim an attempt one makes it, and the other one learns that it is made", async () => {
  await using lockChannel = await openChannel<unknown>("pending-claim");
  const key = retryKey("a", "a@x");
  const pending = { name: "a", chain: "a@x", attempt: 2 } as PendingRetry;
  await lockChannel.set(key, pending);
  const { version = "" } = (await lockChannel.entry(key)) ?? {};
  const claims = [1, 2].map(() => claimOf({ lockChannel, clock: systemClock }, { key, value: pending, version }));
  const taken = claims.map((claim) => lockChannel.commit(claim.ops({} as StartingRun).flatMap(({ ops }) => ops)));
  expect((await Promise.all(taken)).map(({ ok }) => ok)).toEqual([true, false]);
  expect(await rejection(Promise.resolve(claims[1]?.refused()))).toMatchObject({ code: "LOST" });
});
