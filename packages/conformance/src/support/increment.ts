import assert from "node:assert/strict";
import type { Channel } from "@ojm/core";
import type { CaseContext } from "../case/context.js";

/** Adds 1 to the number under `count` by compare-and-set. Tries again as long as other clients are faster. */
export async function increment(t: CaseContext, channel: Channel): Promise<void> {
  for (let current = await channel.entry("count"); ; ) {
    const outcome = await channel.compareAndSet("count", current?.version ?? null, Number(current?.value) + 1);
    if (outcome.ok) return;
    current = outcome.current;
    await t.breathe();
  }
}

/**
 * Makes `each` increments through each of `channels` at the same time. Throws unless all of them were
 * counted.
 */
export async function countTogether(t: CaseContext, channels: readonly Channel[], each: number): Promise<void> {
  await channels[0]?.set("count", 0);
  const work = channels.map(async (channel) => {
    for (let i = 0; i < each; i++) await increment(t, channel);
  });
  await Promise.all(work);
  assert.equal(await channels[0]?.get("count"), each * channels.length);
}
