import { call } from "../bridge.js";

type Entry = { readonly key: unknown; readonly value: unknown };

/** A channel as a script sees it. Every call waits until it is done. */
export class ScriptChannel {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  #call(verb: string, ...parameters: unknown[]): unknown {
    return call("channel", this.#name, verb, parameters);
  }

  /**
   * Opens the channel, by default of type `simple`: `create(type, args)`. As in OpenAF, whether to compress
   * may stand before them: `create(1, type, args)`. It says nothing to the channels of ojm.
   */
  create(...given: readonly unknown[]): this {
    const [first] = given;
    const compress = typeof first === "boolean" || typeof first === "number" || typeof given[1] === "string";
    const [type, args] = compress ? given.slice(1) : given;
    this.#call("create", type, args);
    return this;
  }

  get(key: unknown): unknown {
    return this.#call("get", key);
  }

  set(key: unknown, value: unknown): unknown {
    return this.#call("set", key, value);
  }

  unset(key: unknown): unknown {
    return this.#call("unset", key);
  }

  getAll(): unknown {
    return this.#call("getAll");
  }

  getKeys(): unknown {
    return this.#call("getKeys");
  }

  getSortedKeys(): unknown {
    return this.#call("getSortedKeys");
  }

  getSet(match: unknown, key: unknown, value: unknown): unknown {
    return this.#call("getSet", match, key, value);
  }

  setAll(keys: readonly string[], values: readonly unknown[]): unknown {
    return this.#call("setAll", keys, values);
  }

  unsetAll(keys: readonly string[], values: readonly unknown[]): unknown {
    return this.#call("unsetAll", keys, values);
  }

  compareAndSet(key: unknown, version: unknown, value: unknown): unknown {
    return this.#call("compareAndSet", key, version, value);
  }

  size(): unknown {
    return this.#call("size");
  }

  push(key: unknown, value: unknown): unknown {
    return this.#call("push", key, value);
  }

  shift(): unknown {
    return this.#call("shift");
  }

  pop(): unknown {
    return this.#call("pop");
  }

  forEach(body: (key: unknown, value: unknown) => void): void {
    for (const { key, value } of this.#call("entries") as Entry[]) body(key, value);
  }

  /** Refuses subscriptions: a script is over before the next change comes. Jobs wait for changes. */
  subscribe(): never {
    const job = `{ type: subscribe, typeArgs: { chSubscribe: ${this.#name} } }`;
    throw new Error(`a script cannot subscribe to a channel. Write a job that runs for every change: ${job}`);
  }

  unsubscribe(): never {
    return this.subscribe();
  }

  /** Removes the channel and everything in it. */
  destroy(): unknown {
    return this.#call("destroy");
  }
}

/** The channel of that name. */
export function $ch(name: string): ScriptChannel {
  return new ScriptChannel(String(name));
}
