/**
 * Remembers a value for each of the keys that were requested last. The value must not be a part of an answer,
 * because that would keep the whole answer in memory.
 */
export class Recent<T> {
  readonly #values: Map<string, T> = new Map();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: Buffer): T | undefined {
    const value = this.#values.get(key.toString("latin1"));
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: Buffer, value: T): void {
    const id = key.toString("latin1");
    this.#values.delete(id);
    this.#values.set(id, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > this.#most && oldest !== undefined) this.#values.delete(oldest);
  }

  delete(key: Buffer): void {
    this.#values.delete(key.toString("latin1"));
  }
}

/** A {@link Recent} of keys, which it copies. */
export class RecentKeys {
  readonly #keys: Recent<string>;

  constructor(most: number) {
    this.#keys = new Recent(most);
  }

  get(key: Buffer): Buffer | undefined {
    const text = this.#keys.get(key);
    return text === undefined ? undefined : Buffer.from(text, "latin1");
  }

  set(key: Buffer, value: Buffer): void {
    this.#keys.set(key, value.toString("latin1"));
  }

  delete(key: Buffer): void {
    this.#keys.delete(key);
  }
}
