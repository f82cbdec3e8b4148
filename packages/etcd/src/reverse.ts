/** What a look at the keys of `[from, to)` tells: how many there are, and the first of them. */
export interface Look {
  readonly count: number;
  readonly first: Buffer | undefined;
}

/** More looks than this, and the keys are too alike to be told apart in reasonable time. */
const MOST_LOOKS = 400;

/**
 * Finds where the last few keys of `[from, to)` begin: a key `start` such that `[start, to)` holds at least `least` of them and
 * at most `most`. It halves the space of keys, so that it takes a number of looks that depends on how long the keys are,
 * not on how many there are. Returns `from` itself for a range that has no more than `most`, after one look.
 *
 * @param most at least twice `least`
 */
export async function lastFew(
  from: Buffer,
  to: Buffer,
  least: number,
  most: number,
  look: (from: Buffer) => Promise<Look>,
): Promise<Buffer> {
  const whole = await look(from);
  if (whole.count <= most) return from;
  // From `low` on there are too many keys, from `high` on too few.
  let low = whole.first ?? from;
  let high = to;
  for (let looks = 1; looks < MOST_LOOKS; looks++) {
    const middle = between(low, high);
    if (middle === undefined) return low;
    const { count, first } = await look(middle);
    if (count >= least && count <= most) return middle;
    if (count < least) high = middle;
    // The first key is beyond the middle: starting from it skips the empty space between them.
    else low = first ?? middle;
  }
  return low;
}

/** The byte string half way between two, as fractions to the base of 256. `undefined` if nothing fits between them. */
export function between(low: Buffer, high: Buffer): Buffer | undefined {
  const length = Math.max(low.length, high.length) + 1;
  const middle = Buffer.alloc(length);
  // (low + high) / 2, byte by byte: first the sum from the right, with its carry, then the halves from the left.
  const sum = new Array<number>(length).fill(0);
  let carry = 0;
  for (let i = length - 1; i >= 0; i--) {
    const total = (low[i] ?? 0) + (high[i] ?? 0) + carry;
    sum[i] = total & 0xff;
    carry = total >> 8;
  }
  for (let i = 0; i < length; i++) {
    const value = carry * 256 + (sum[i] ?? 0);
    middle[i] = value >> 1;
    carry = value & 1;
  }
  const short = shorten(middle, low);
  return Buffer.compare(low, short) < 0 && Buffer.compare(short, high) < 0 ? short : undefined;
}

/** Drops trailing bytes that are not needed to be beyond `low`, so that halves of halves do not grow. */
function shorten(middle: Buffer, low: Buffer): Buffer {
  let differs = 0;
  while (differs < middle.length && middle[differs] === (low[differs] ?? 0)) differs++;
  return middle.subarray(0, Math.min(middle.length, differs + 1));
}
