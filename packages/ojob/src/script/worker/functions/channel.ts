import { call } from "../bridge.js";

type Entry = { readonly key: unknown; readonly value: unknown };

/** The calls that only pass their parameters on, with the number of parameters. */
const CALLS = {
  ...{ get: 1, set: 2, unset: 1, getAll: 0, getKeys: 0, getSortedKeys: 0, size: 0, push: 2, shift: 0, pop: 0 },
  ...{ getSet: 3, setAll: 2, unsetAll: 2, compareAndSet: 3, destroy: 0 },
} as const;

/** A channel as a script sees it. Every call waits until it is done. */
export class ScriptChannel {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  #call(verb: string, ...parameters: unknown[]): unknown {
    return call("channel", this.#name, verb, parameters);
  }

  static {
    for (const [verb, count] of Object.entries(CALLS)) {
      const value = function (this: ScriptChannel, ...parameters: unknown[]): unknown {
        return this.#call(verb, ...parameters.slice(0, count));
      };
      Object.defineProperty(ScriptChannel.prototype, verb, { value, writable: true, configurable: true });
    }
  }

  /** Opens the channel: `create(type, args)`. As in OpenAF, a flag for compression may come first. */
  create(...given: readonly unknown[]): this {
    const [first] = given;
    const compress = typeof first === "boolean" || typeof first === "number" || typeof given[1] === "string";
    const [type, args] = compress ? given.slice(1) : given;
    this.#call("create", type, args);
    return this;
  }

  forEach(body: (key: unknown, value: unknown) => void): void {
    for (const { key, value } of this.#call("entries") as Entry[]) body(key, value);
  }

  /** Rejects subscriptions: a script is over before the next change comes. */
  subscribe(): never {
    const job = `{ type: subscribe, typeArgs: { chSubscribe: ${this.#name} } }`;
    throw new Error(`a script cannot subscribe to a channel. Write a job that runs for every change: ${job}`);
  }

  unsubscribe(): never {
    return this.subscribe();
  }
}

export function $ch(name: string): ScriptChannel {
  return new ScriptChannel(String(name));
}
