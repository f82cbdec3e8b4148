import type { Events } from "../contract/types.js";

/** The most events that are held for clients that reconnect, and their most characters in all. */
const MOST_EVENTS = 2_000;
const MOST_TEXT = 2_000_000;

/** An event as it is sent. */
export interface Sent {
  readonly seq: number;
  readonly event: keyof Events;
  readonly data: string;
}

/** The last events, so that a client that was disconnected for a moment misses none. */
export class Ring {
  readonly #events: Sent[] = [];
  #size = 0;
  #seq = 0;

  /** The number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  add<Name extends keyof Events>(event: Name, data: Events[Name]): Sent {
    const sent = { seq: ++this.#seq, event, data: JSON.stringify(data) };
    this.#events.push(sent);
    this.#size += sent.data.length;
    while (this.#events.length > MOST_EVENTS || (this.#size > MOST_TEXT && this.#events.length > 1)) {
      this.#size -= this.#events.shift()?.data.length ?? 0;
    }
    return sent;
  }

  /** The events after this one; `undefined` if some of them were dropped, or never sent. */
  after(seq: number): readonly Sent[] | undefined {
    if (seq > this.#seq) return undefined;
    const oldest = this.#events[0]?.seq ?? this.#seq + 1;
    if (seq < oldest - 1) return undefined;
    return this.#events.slice(this.#events.length - (this.#seq - seq));
  }
}
