import type { Key } from "../types.js";

interface EncodesKeys {
  key(key: Key): string;
}

/** A key of core that keeps its text for several commits: 3 to 4 of the 20 to 25 µs of a run in memory. */
export class KnownKey {
  readonly #key: Key;
  #text = "";
  #scope: EncodesKeys | undefined;

  constructor(key: Key) {
    this.#key = key;
  }

  /** The text of the key in a channel. It remembers the text for one channel only. */
  textIn(scope: EncodesKeys): string {
    if (this.#scope !== scope) {
      this.#text = scope.key(this.#key);
      this.#scope = scope;
    }
    return this.#text;
  }
}

/** A key that remembers its text. */
export function knownKey(key: Key): Key {
  return new KnownKey(key) as unknown as Key;
}

// A brand, as of errors: a queue may use another copy of this package than the channel that it writes to.
const BRAND = Symbol.for("ojm.KnownValue");

/**
 * A value with its encoded text, which equals the result of `encodeValue`. It exists for the few values that
 * every run writes: it saves 4 to 6 of the 20 to 25 µs of processor time that a run in memory takes.
 */
class KnownValue {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get [BRAND](): true {
    return true;
  }
}

/** The encoded text of a value that has it; `undefined` for all other values. */
export function knownText(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && BRAND in value ? (value as KnownValue).text : undefined;
}

/** A value with its text, in place of the value of an op. */
export function knownValue<V>(text: string): V {
  return new KnownValue(text) as unknown as V;
}
