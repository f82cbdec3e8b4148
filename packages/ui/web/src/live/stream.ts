/** An event of a stream. */
export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** A log to follow, after a line. */
export interface Follow {
  readonly id: string;
  readonly after: number;
}

/** The state of a stream. */
export type StreamState = "connecting" | "live" | "away" | "ended";

/** Receives the events and states of a stream. */
export interface Taker {
  event(event: StreamEvent): void;
  state(state: StreamState): void;
}

/** The shortest and the longest time between two attempts to connect, in ms. */
const SHORTEST = 250;
const LONGEST = 5_000;

/** The server sends something at least every 5 s: after this long without data, a connection is dead. */
const SILENCE = 12_000;

/** One stream of events that reconnects by itself, and resumes where it stopped. */
export class Stream {
  readonly #address: string;
  readonly #taker: Taker;
  #logs: readonly Follow[] = [];
  #last = "";
  #failures = 0;
  #now: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = Date.now();

  constructor(address: string, taker: Taker) {
    this.#address = address;
    this.#taker = taker;
  }

  /** Reconnects with the logs that are followed now. */
  open(logs: readonly Follow[]): void {
    this.#logs = logs;
    // The previous stream had other logs: a resumed one would lack the lines of these.
    this.#last = "";
    this.#failures = 0;
    void this.#connect();
  }

  /** How long the server has sent nothing, in ms. */
  get silent(): number {
    return Date.now() - this.#heard;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#now?.abort();
  }

  async #connect(): Promise<void> {
    this.close();
    const abort = new AbortController();
    this.#now = abort;
    if (this.#failures === 0) this.#taker.state("connecting");
    try {
      const url = new URL(this.#address);
      for (const { id, after } of this.#logs) {
        url.searchParams.append("log", id);
        url.searchParams.append("after", String(after));
      }
      const headers = this.#last === "" ? {} : { "last-event-id": this.#last };
      const answer = await fetch(url, { signal: abort.signal, headers, credentials: "same-origin", cache: "no-store" });
      if (answer.status === 401) {
        this.#taker.state("ended");
        return;
      }
      if (!answer.ok || answer.body === null) throw new Error(`status ${answer.status}`);
      this.#failures = 0;
      this.#heard = Date.now();
      this.#taker.state("live");
      await this.#read(answer.body, abort);
    } catch {
      if (abort.signal.aborted && this.#now !== abort) return;
    }
    if (this.#now !== abort) return;
    this.#taker.state("away");
    const wait = Math.min(LONGEST, SHORTEST * 2 ** this.#failures++);
    this.#timer = setTimeout(() => void this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const text = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const parse = eventParser((event) => {
      if (event.id !== "") this.#last = event.id;
      this.#taker.event(event);
    });
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      for (;;) {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE);
        const { done, value } = await text.read();
        if (done || this.#now !== abort) return;
        this.#heard = Date.now();
        parse(value);
      }
    } finally {
      clearTimeout(silence);
    }
  }
}

/**
 * Splits the text of a stream into its events. Not `EventSource`: it hides the status of an answer, so a
 * session that ended looks like a server that is away, and a new instance cannot resume where an old one
 * stopped.
 */
function eventParser(take: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  let fields = { id: "", event: "message", data: [] as string[] };
  const line = (text: string): void => {
    if (text === "") {
      if (fields.data.length > 0) take({ ...fields, data: fields.data.join("\n") });
      fields = { id: fields.id, event: "message", data: [] };
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") fields.data.push(value);
    else if (name === "event") fields.event = value;
    else if (name === "id") fields.id = value;
  };
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const each of lines) line(each);
  };
}
