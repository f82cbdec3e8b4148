import type { Channel } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { Key, Version } from "../../channel/types.js";
import { isHolder } from "../../locks/entries/valid.js";
import type { Holder } from "../../locks/types.js";
import { fieldsOf, isCount, isText } from "../../util/shape.js";

/** A permit that a run has. */
export interface PermitValue {
  /** The id of the run. */
  readonly run: string;
  /** The name of its lock. */
  readonly lock: string;
  readonly holder: Holder;
}

/** The limit of a permit, as an operator set it. */
interface PermitLimit {
  readonly limit: number;
}

export const permitKey = (name: string): Key => ["permit", name];

export function isPermit(value: unknown): value is PermitValue {
  const { run, lock, holder } = fieldsOf<PermitValue>(value) ?? {};
  return isText(run) && isText(lock) && isHolder(holder);
}

export function isPermitLimit(value: unknown): value is PermitLimit {
  const { limit } = fieldsOf<PermitLimit>(value) ?? {};
  return isCount(limit);
}

/** Deletes the permits of a run that another process has closed. `fence`: the version of its lock. */
export async function forgetPermits(locks: Channel<unknown>, permits: object, fence: Version): Promise<void> {
  for (const name of Object.keys(permits))
    for await (const { key, version } of readable(locks, { prefix: permitKey(name) }))
      if (version === fence) await locks.commit([{ check: key, version }, { delete: key }]);
}
