import type { Channel } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import type { LocksValue } from "./schema.js";

/** Deletes an entry, unless it has changed since it was read. */
export async function removeEntry(
  channel: Channel<LocksValue>,
  { key, version }: Omit<Entry<LocksValue>, "value">,
): Promise<void> {
  await channel.commit([{ check: key, version }, { delete: key }]);
}
