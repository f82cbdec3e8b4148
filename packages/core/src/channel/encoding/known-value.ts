/**
 * A value whose text is made already, equal to that of `encodeValue`, for the few values of core that every
 * run writes. Core alone makes them.
 */
export class KnownValue {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value with its text, in the place of a value of an op. */
export function knownValue<V>(text: string): V {
  return new KnownValue(text) as unknown as V;
}
