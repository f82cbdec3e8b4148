import type { Events, Running } from "../api/types.js";
import { type Follow, Stream, type StreamEvent, type StreamState } from "./stream.js";

/** A message from a tab to the hub. */
export type ToHub =
  | { readonly kind: "follow"; readonly address: string; readonly logs: readonly Follow[] }
  | { readonly kind: "bye" };

/** A message from the hub to its tabs. */
export type FromHub =
  /** `silent`: how long the server has sent nothing, in ms. */
  | { readonly kind: "state"; readonly state: StreamState; readonly silent: number }
  | { readonly kind: "event"; readonly event: StreamEvent };

/** The most logs that the server follows in one stream. */
const MOST_LOGS = 10;

type Post = (message: FromHub) => void;

/** One stream for several tabs: ten tabs would use up the six connections of a browser to a host. */
export class Hub {
  readonly #tabs = new Map<Post, readonly Follow[]>();
  #stream: Stream | undefined;
  #logs = "";
  #state: StreamState = "connecting";
  /** For a tab that joins while the store is away. */
  #stale: StreamEvent | undefined;
  #hello: StreamEvent | undefined;
  #running: Map<string, Running> | undefined;

  /** Handles a message of a tab. */
  take(post: Post, message: ToHub): void {
    if (message.kind === "bye") {
      this.#tabs.delete(post);
      if (this.#tabs.size === 0) this.#close();
      return;
    }
    const isNew = !this.#tabs.has(post);
    this.#tabs.set(post, message.logs);
    if (isNew) {
      post(this.#stateNow());
      this.#welcome(post);
    }
    this.#open(message.address);
  }

  /** Sends a new tab the running runs, which the stream sent only to the earlier tabs. */
  #welcome(post: Post): void {
    if (this.#hello === undefined || this.#running === undefined) return;
    post({ kind: "event", event: this.#hello });
    const all = { at: 0, all: true, put: [...this.#running.values()], gone: [] };
    post({ kind: "event", event: { id: "", event: "running", data: JSON.stringify(all) } });
    if (this.#stale !== undefined) post({ kind: "event", event: this.#stale });
  }

  #open(address: string): void {
    const first = new Map<string, number>();
    for (const { id, after } of [...this.#tabs.values()].flat()) first.set(id, Math.min(after, first.get(id) ?? after));
    const logs = [...first].map(([id, after]) => ({ id, after })).slice(-MOST_LOGS);
    const key = JSON.stringify([address, logs]);
    if (key === this.#logs && this.#state !== "ended") return;
    this.#logs = key;
    this.#stream ??= new Stream(address, {
      event: (event) => this.#event(event),
      state: (state) => this.#setState(state),
    });
    this.#stream.open(logs);
  }

  #close(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#logs = "";
    this.#stale = undefined;
    this.#hello = undefined;
    this.#running = undefined;
  }

  #event(event: StreamEvent): void {
    if (event.event === "hello") this.#hello = event;
    if (event.event === "running") this.#remember(JSON.parse(event.data) as Events["running"]);
    if (event.event === "stale") this.#stale = event;
    if (event.event === "fresh" || event.event === "hello") this.#stale = undefined;
    this.#all({ kind: "event", event });
  }

  #remember({ all = false, put, gone }: Events["running"]): void {
    if (all) this.#running = new Map();
    for (const id of gone) this.#running?.delete(id);
    for (const run of put) this.#running?.set(run.id, run);
  }

  #setState(state: StreamState): void {
    this.#state = state;
    this.#all(this.#stateNow());
  }

  #stateNow(): FromHub {
    return { kind: "state", state: this.#state, silent: this.#stream?.silent ?? 0 };
  }

  #all(message: FromHub): void {
    for (const post of this.#tabs.keys()) post(message);
  }
}
