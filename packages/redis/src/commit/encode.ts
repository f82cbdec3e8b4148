import type { Commit, StoredCheck, StoredWrite } from "@ojm/core/backend";
import type { Names } from "../layout.js";

/** One commit in the form that its script takes. See script.ts. */
export interface EncodedCommit {
  /** The names of its entries, each once. */
  readonly keys: readonly string[];
  /** A letter for each key, then the versions of the checks, then times to live and values. */
  readonly args: readonly string[];
  /** For each check, where its entry is in `keys`. */
  readonly places: readonly number[];
  readonly puts: boolean;
  /** About how many bytes it adds to a call. */
  readonly size: number;
}

/** The letters for no write, a put, a put with a time to live, and a delete. */
const LETTERS = { absent: "nptd", version: "NPTD", unchecked: " 123" } as const;

/** Converts a commit to keys and arguments of its script. */
export function encodeCommit(commit: Commit, names: Names): EncodedCommit {
  const { checks } = commit;
  const keys: string[] = [];
  const args = [""];
  const places: number[] = new Array(checks.length);
  for (let i = 0; i < checks.length; i++) {
    const { key, version } = checks[i] as StoredCheck;
    if (version === null) places[i] = keys.push(names.entry(key)) - 1;
  }
  const absent = keys.length;
  for (let i = 0; i < checks.length; i++) {
    const { key, version } = checks[i] as StoredCheck;
    if (version === null) continue;
    places[i] = keys.push(names.entry(key)) - 1;
    args.push(version);
  }
  const written = placeWrites(commit, places, keys, names);
  let letters = "";
  let puts = false;
  for (let i = 0; i < keys.length; i++) {
    const write = written[i];
    letters += LETTERS[i < absent ? "absent" : i < checks.length ? "version" : "unchecked"][kindOf(write)];
    if (write === undefined || write.value === null) continue;
    puts = true;
    if (write.ttl !== undefined) args.push(String(write.ttl));
    args.push(write.value);
  }
  args[0] = letters;
  return { keys, args, places, puts, size: sizeOf(keys) + sizeOf(args) };
}

/** Up to this many comparisons cost less than a map. */
const COMPARISONS_LIMIT = 64;

/** Puts each write to the place of its key. Adds the keys that are not checked. */
function placeWrites(
  { checks, writes }: Commit,
  places: readonly number[],
  keys: string[],
  names: Names,
): (StoredWrite | undefined)[] {
  const written: (StoredWrite | undefined)[] = [];
  const few = checks.length * writes.length <= COMPARISONS_LIMIT;
  const checked = few ? undefined : new Map(checks.map(({ key }, i) => [key, i]));
  for (const write of writes) {
    const { key } = write;
    const check = checked === undefined ? checks.findIndex((each) => each.key === key) : (checked.get(key) ?? -1);
    const place = check >= 0 ? places[check] : undefined;
    written[place ?? keys.push(names.entry(key)) - 1] = write;
  }
  return written;
}

function kindOf(write: StoredWrite | undefined): number {
  if (write === undefined) return 0;
  if (write.value === null) return 3;
  return write.ttl === undefined ? 1 : 2;
}

/** The overhead of Redis' protocol for each text. */
const FRAME = 8;

function sizeOf(texts: readonly string[]): number {
  let size = 0;
  for (const text of texts) size += text.length + FRAME;
  return size;
}
