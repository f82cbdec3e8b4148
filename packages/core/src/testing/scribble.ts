import type { Key, WriteOptions } from "../channel/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import type { LocksOf } from "./world.js";

/** Writes a text that a channel would not write, like a program that uses the store without ojm. */
export async function scribble(
  { way, channel }: Pick<LocksOf, "way" | "channel">,
  key: Key,
  text: string,
  options: WriteOptions = {},
): Promise<void> {
  const commit = way.commit.bind(way);
  way.commit = (it, options) =>
    commit({ ...it, writes: it.writes.map((write) => ({ ...write, value: text })) }, options);
  await channel.set(key, {} as LocksValue, options);
  way.commit = commit;
}
