import { compareVersions } from "../../../channel/encoding/version.js";
import type { Version } from "../../../channel/types.js";
import type { RecordRef, TimeIndex } from "../../records/time-index.js";
import type { FoldState } from "../entries.js";
import { PAGE, type RefRange, refPages } from "./ref-pages.js";

/** How far behind the cursor each fold looks for late records, in ms. */
export const NEAR = 600_000;

/** How many refs of the index each fold looks at on its way through all of them. */
const FAR = 20 * PAGE;

/** What a look found. */
export interface Late {
  readonly refs: readonly RecordRef[];
  readonly far: FoldState["far"];
}

/**
 * The records behind the cursor that were written since the last look there: the clock of their host is slow,
 * or their commit took long. The order of start times is that of several clocks; the order of versions is
 * that of the store.
 *
 * Each fold looks at the last ten minutes, and at a part of the whole index. So a record that is later than
 * ten minutes is found too, within as many folds as the index has tens of thousands of records.
 */
export async function lateRefs(
  index: TimeIndex,
  { cursor, near, far }: FoldState,
  mark: Version,
  pace: Pick<RefRange, "signal" | "pause">,
): Promise<Late> {
  const refs: RecordRef[] = [];
  const take = (page: readonly (RecordRef & { readonly version: Version })[], seen: Version): void => {
    for (const ref of page) if (ref.startTime < cursor && compareVersions(ref.version, seen) > 0) refs.push(ref);
  };
  for await (const page of refPages(index, { from: near.from, to: cursor, ...pace })) take(page, near.version);
  const from = far.at ?? (await firstTime(index, pace.signal)) ?? cursor;
  const begun = far.at === undefined ? mark : far.begun;
  let count = 0;
  for await (const page of refPages(index, { from, to: cursor, ...pace })) {
    take(page, far.version);
    count += page.length;
    const at = page.at(-1)?.startTime ?? from;
    // Runs that began in one ms are not divided: the next part would begin with them again.
    if (count >= FAR && at > from) return { refs, far: { at, begun, version: far.version } };
  }
  return { refs, far: { begun, version: begun } };
}

/** The start time of the oldest record; `undefined` if there is none. */
export async function firstTime(index: TimeIndex, signal: AbortSignal | undefined): Promise<number | undefined> {
  const [first] = await index.refs({ limit: 1, signal });
  return first?.startTime;
}
