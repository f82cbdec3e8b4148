const ZERO = 0x30;
const NINE = 0x39;

/** How many bytes two byte strings have in common, from the first on. */
export function sharedLength(a: Buffer, b: Buffer): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** The first byte string after all that begin with `prefix`; `undefined` if there is none. */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return end;
}

/** The byte string halfway between two, as fractions in base 256; `undefined` if none fits between. */
export function between(low: Buffer, high: Buffer): Buffer | undefined {
  const length = Math.max(low.length, high.length) + 1;
  const middle = Buffer.alloc(length);
  // (low + high) / 2, byte by byte: the sum with its carry from the right, the halves from the left.
  let carry = 0;
  for (let i = length - 1; i >= 0; i--) {
    const sum = (low[i] ?? 0) + (high[i] ?? 0) + carry;
    middle[i] = sum & 0xff;
    carry = sum >> 8;
  }
  for (let i = 0; i < length; i++) {
    const value = carry * 256 + (middle[i] ?? 0);
    middle[i] = value >> 1;
    carry = value & 1;
  }
  // Cut off what follows the first differing byte, or repeated halving would make it ever longer.
  const short = middle.subarray(0, sharedLength(middle, low) + 1);
  return Buffer.compare(low, short) < 0 && Buffer.compare(short, high) < 0 ? short : undefined;
}

/**
 * Looks for the first byte of `low` that not all keys before `high` share. If it is a digit, returns the
 * first byte string after all that begin with the bytes before it and continue with any digit. Returns
 * `undefined` if it is not a digit, or if the result is not before `high`. Keys often differ in times and
 * numbers, whose bytes are digits, and halving alone would take four tries to find that out.
 */
export function afterDigits(low: Buffer, high: Buffer): Buffer | undefined {
  for (let at = sharedLength(low, high); at < low.length; at++) {
    const next = afterPrefix(low.subarray(0, at + 1));
    // All keys before `high` have the same byte here.
    if (next === undefined || Buffer.compare(next, high) >= 0) continue;
    const byte = low[at] ?? 0;
    if (byte < ZERO || byte > NINE) return undefined;
    const end = Buffer.concat([low.subarray(0, at), Buffer.of(NINE + 1)]);
    return Buffer.compare(end, high) < 0 ? end : undefined;
  }
  return undefined;
}
