import type { Channel } from "../channel/channel.js";
import { unlessCorrupt } from "../channel/corrupt.js";
import { ChannelError, isChannelError } from "../channel/errors.js";
import { openChannel } from "../channel/open.js";
import type { Key, OpenOptions } from "../channel/types.js";
import { VERSIONS } from "../locks/versions.js";
import type { Clock } from "../util/clock.js";
import { fieldsOf, isCount, isText } from "../util/shape.js";
import { visible } from "../util/text.js";

/** The channel of the entry that names the format of a store. Each store has its own. */
export const FORMATS = "oJobManager-format";

const FORMAT_KEY: Key = ["format"];

/**
 * The latest format of entries that this version reads: see `docs/reference/entries.md`. A new kind of entry
 * or a new field needs no new format, because an older version leaves alone what it does not know. Raise it
 * only for a change that an older version would misunderstand.
 */
export const FORMAT = 2;

/** The format that this version writes as long as no run has a lock of another name, permits or a rate. */
const BASE_FORMAT = 1;

/** What the entry says. */
export interface FormatValue {
  /** The latest format in which any version wrote to this store. */
  readonly wrote: number;
  /** The format that a version must be able to read, to use this store. */
  readonly reads: number;
  /** The version of ojm that wrote this entry. */
  readonly ojm: string;
}

/** Whether a value is one that any version, also a later one, may have written. */
export function isFormat(value: unknown): value is FormatValue {
  const format = fieldsOf<FormatValue>(value);
  return format !== undefined && isCount(format.wrote) && isCount(format.reads) && isText(format.ojm);
}

export function isFormatKey(key: Key): boolean {
  return Array.isArray(key) && key.length === 1 && key[0] === "format";
}

/** The format of a store; `undefined` if its entry is missing or damaged. */
export async function formatOf(formats: Channel<unknown>): Promise<FormatValue | undefined> {
  const value = await unlessCorrupt(formats.get(FORMAT_KEY));
  return isFormat(value) ? value : undefined;
}

/**
 * Refuses a store that needs a later version of ojm, and marks one that has no format, or an earlier one.
 * `refused`: how an error names the store.
 *
 * The mark is for the versions to come. If the store does not take it now, because it is full or read-only,
 * the next process writes it.
 *
 * @throws ChannelError `INVALID_CONFIG` if the store needs a later version; any error of a read
 */
export async function checkFormat(store: OpenOptions, clock: Clock, refused: string): Promise<void> {
  const formats = await openChannel<FormatValue>(FORMATS, { ...store, clock });
  try {
    const entry = await unlessCorrupt(formats.entry(FORMAT_KEY));
    const found = entry?.value;
    // A damaged entry must not keep every process out: `ojm doctor` lists it.
    if (entry !== undefined && !isFormat(found)) return;
    if (found !== undefined && found.reads > FORMAT) throw tooOld(refused, found);
    if (found !== undefined && found.wrote >= BASE_FORMAT) return;
    const mark = { ...found, wrote: BASE_FORMAT, reads: found?.reads ?? BASE_FORMAT, ojm: VERSIONS.ojm };
    await formats.compareAndSet(FORMAT_KEY, entry?.version ?? null, mark).catch((error: unknown) => {
      if (!isChannelError(error)) throw error;
    });
  } finally {
    await formats.close();
  }
}

/**
 * Keeps versions out of a store that read less than this version. Call it before the first write that they
 * would misunderstand.
 *
 * @throws any error of the store: without the mark, nothing may be written that needs it
 */
export async function raiseFormat(store: OpenOptions, clock: Clock): Promise<void> {
  const formats = await openChannel<FormatValue>(FORMATS, { ...store, clock });
  try {
    let isRaised = false;
    while (!isRaised) {
      const entry = await unlessCorrupt(formats.entry(FORMAT_KEY));
      // A damaged entry keeps no process out, and only a person can remove it: see checkFormat.
      if (entry !== undefined && !isFormat(entry.value)) return;
      const { wrote = FORMAT, reads = FORMAT } = entry?.value ?? {};
      if (entry !== undefined && reads >= FORMAT) return;
      const mark = { wrote: Math.max(wrote, FORMAT), reads: FORMAT, ojm: VERSIONS.ojm };
      isRaised = (await formats.compareAndSet(FORMAT_KEY, entry?.version ?? null, { ...entry?.value, ...mark })).ok;
    }
  } finally {
    await formats.close();
  }
}

function tooOld(refused: string, { reads, ojm }: FormatValue): ChannelError {
  return new ChannelError(
    "INVALID_CONFIG",
    `${refused} needs a later version of ojm: its entries have format ${reads}, written by ${visible(ojm)}, and ${VERSIONS.ojm} reads up to format ${FORMAT}. Upgrade all @ojm packages to ${visible(ojm)} or later`,
  );
}
