import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Key } from "../../channel/types.js";
import type { PassValue, Retaining, Terms } from "../../operator/retention.js";
import type { InMs } from "../../util/duration.js";
import { fieldsOf, isCount, isSpan, isText, isTime } from "../../util/shape.js";
import { operatorPart } from "../operator-part.js";
import type { RetentionOptions } from "../types.js";
import type { RecordRef } from "./time-index.js";

/*
 * The process with the turn prunes the records of a store. In the channel of the turns:
 *
 *   "retention"   the setting of the store, if a program has set one: its programs need not agree
 *   "retained"    the progress of the last pass
 */

const DAY = 86_400_000;

/** The retention of a store without a setting. */
const DEFAULT: Terms = { olderThan: 90 * DAY, keep: 100 };

/** The days of `cutoffOf` are shorter if fewer are kept. A pass begins once in such a day. */
const LEAST_DAYS = 8;

export const SETTING: Key = "retention";
const PASS: Key = "retained";

/** Writes the retention that a program sets, for all programs that use the store. */
export async function setRetention(turns: Channel<unknown>, wanted: InMs<RetentionOptions> | false): Promise<void> {
  const { olderThan = DEFAULT.olderThan, keep = DEFAULT.keep } = wanted === false ? {} : wanted;
  const value = wanted === false ? { off: true } : { olderThan, keep };
  const known = await unlessCorrupt(turns.get(SETTING));
  if (JSON.stringify(known) !== JSON.stringify(value)) await turns.set(SETTING, value);
}

/** The setting of the store: `none` if nothing is deleted, `undefined` without a setting. */
async function termsOf(turns: Channel<unknown>): Promise<Terms | "none" | undefined> {
  const setting = await unlessCorrupt(turns.get(SETTING));
  if (fieldsOf(setting) === undefined) return undefined;
  // A later version may have written a setting that is unknown here. A deletion cannot be undone.
  return retentionIn(setting) ?? "none";
}

/** The retention in an entry; `undefined` if this version does not know the setting. */
export function retentionIn(value: unknown): Terms | "none" | undefined {
  const { off, olderThan, keep } = fieldsOf<Terms & { off: true }>(value) ?? {};
  if (off !== undefined) return off === true ? "none" : undefined;
  return isSpan(olderThan) && olderThan > 0 && isCount(keep) ? { olderThan, keep } : undefined;
}

/**
 * Deletes the records of runs that ended long ago, except the newest of each name, and their logs. A pass
 * begins about once a day; each round does a part of it. Resolves to the time until the next call, in ms.
 *
 * It reads the index by start time up to the cutoff, and the records of the names that it finds there.
 */
export async function retain(retaining: Retaining): Promise<number> {
  const { index, turns, clock } = retaining;
  if (!(await index.isComplete())) return 0;
  const setting = await termsOf(turns);
  if (setting === "none") return DAY;
  const terms = setting ?? DEFAULT;
  const day = Math.min(DAY, terms.olderThan / LEAST_DAYS);
  const now = clock.now();
  const last = await readPass(turns);
  // A start in the future comes from a wrong clock.
  const rest = last?.isOver === true && now >= last.began ? last.began + day - now : 0;
  if (rest > 0) return rest;
  // A store that an older version filled: its programs have a day to set the retention.
  if (last === undefined && setting === undefined) {
    await turns.set(PASS, { began: now, isOver: true } satisfies PassValue);
    return day;
  }
  const began = last?.isOver === false ? last.began : now;
  const resumed = last?.isOver === false ? last.after : undefined;
  const { pruneRound } = await operatorPart();
  const pass = await pruneRound({ ...retaining, ...terms, day, now }, resumed);
  if (pass === undefined) return 0;
  await turns.set(PASS, { began, ...pass } satisfies PassValue);
  return pass.isOver ? day : 0;
}

async function readPass(turns: Channel<unknown>): Promise<PassValue | undefined> {
  const { began, after, isOver } = fieldsOf<PassValue>(await unlessCorrupt(turns.get(PASS))) ?? {};
  if (!isTime(began) || typeof isOver !== "boolean") return undefined;
  const { name, startTime } = fieldsOf<RecordRef>(after) ?? {};
  return { began, isOver, ...(isText(name) && isTime(startTime) && { after: { name, startTime } }) };
}
