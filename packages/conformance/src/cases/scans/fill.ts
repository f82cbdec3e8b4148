import type { Channel } from "@ojm/core";

/** Writes one entry for each of `numbers`, with the number as its key and its value. */
export async function fill(channel: Channel, numbers: readonly number[]): Promise<void> {
  const most = Math.min(100, channel.supports.maxOps);
  for (let i = 0; i < numbers.length; i += most) {
    await channel.commit(numbers.slice(i, i + most).map((n) => ({ put: n, value: n })));
  }
}

/** The whole numbers from 0 up to but not including `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
