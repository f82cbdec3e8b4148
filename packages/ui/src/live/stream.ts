import { parseRunId } from "@ojm/core";
import type { Events, LogItem } from "../contract/types.js";
import { logItemOf } from "../view/runs/log.js";
import type { Source } from "../view/source.js";
import type { Hub } from "./hub.js";
import type { Sent } from "./ring.js";

/** A stream whose client has this many unread bytes is ended: the client reconnects, and resumes. */
const MOST_WAITING = 4 * 1_024 * 1_024;

/** How often a comment is sent, in ms. Comments keep proxies from closing the stream, and detect its end. */
const PING = 5_000;

/** Lines within this time are sent together, in ms, and at most this many lines and characters at once. */
const COALESCE = 50;
const LINES = 500;
const TEXT = 64_000;

const encoder = new TextEncoder();

/** A log that is followed by a stream. */
export interface FollowedLog {
  readonly id: string;
  /** The last line that the client has. */
  line: number;
}

/** The request of a client. */
export interface StreamRequest {
  readonly logs: readonly FollowedLog[];
  /** The id of the last event that the client has. */
  readonly last: string | undefined;
}

/** One stream of server-sent events. */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when the client or {@link EventStream.close} has ended the stream. */
  readonly ended: Promise<void>;
  readonly #source: Source;
  readonly #hub: Hub;
  readonly #logs: readonly FollowedLog[];
  readonly #over: AbortController = new AbortController();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: () => void = () => {};
  #seq = 0;
  #end: () => void = () => {};

  constructor(source: Source, hub: Hub, { logs, last }: StreamRequest) {
    this.#source = source;
    this.#hub = hub;
    this.ended = new Promise((resolve) => {
      this.#over.signal.addEventListener("abort", () => resolve());
    });
    const resumed = resume(last, hub, logs);
    this.#logs = resumed.logs;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#begin(resumed.missed, last !== undefined);
        },
        pull: () => this.#drained(),
        cancel: () => this.#stop(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
    );
  }

  /** Ends the stream. */
  close(): void {
    this.#stop();
    try {
      this.#controller?.close();
    } catch {
      // It has ended already.
    }
  }

  #begin(missed: readonly Sent[] | undefined, isBack: boolean): void {
    const hub = this.#hub;
    this.#write("retry: 1000\n\n");
    const unsubscribe = hub.subscribe((sent) => this.#forward(sent));
    const timer = setInterval(() => this.#write(": ping\n\n"), PING);
    timer.unref();
    this.#end = () => {
      unsubscribe();
      clearInterval(timer);
    };
    const at = Date.now();
    this.#seq = hub.ring.seq;
    if (missed === undefined) {
      this.#send("hello", { epoch: hub.epoch, at });
      if (isBack) this.#send("reset", { at });
      const { running, stale } = hub.state();
      if (running !== undefined) this.#send("running", running);
      if (stale !== undefined) this.#send("stale", stale);
    } else {
      this.#seq -= missed.length;
      this.#send("hello", { epoch: hub.epoch, at });
      for (const sent of missed) this.#forward(sent);
    }
    for (const log of this.#logs) void this.#followLog(log);
  }

  #stop(): void {
    this.#over.abort();
    this.#end();
    this.#drained();
  }

  #forward({ seq, event, data }: Sent): void {
    this.#seq = seq;
    this.#sendText(event, data);
  }

  #send<Name extends keyof Events>(event: Name, data: Events[Name]): void {
    this.#sendText(event, JSON.stringify(data));
  }

  #sendText(event: keyof Events, data: string): void {
    const lines = this.#logs.map(({ line }) => line).join(".");
    const id = `${this.#hub.epoch}-${this.#seq}${lines === "" ? "" : `-${lines}`}`;
    // JSON has no line breaks, which would end the event.
    this.#write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  #write(text: string): void {
    if (this.#over.signal.aborted || this.#controller === undefined) return;
    if ((this.#controller.desiredSize ?? 0) <= 0) this.close();
    else this.#controller.enqueue(encoder.encode(text));
  }

  /** Sends the lines of a log as they come. A client that reads slowly delays only its own log. */
  async #followLog(log: FollowedLog): Promise<void> {
    const run = parseRunId(log.id);
    const { signal } = this.#over;
    const batch = new Batch((items) => this.#sendLines(log, items));
    try {
      if (run === undefined) throw new Error("no run has such an id");
      for await (const item of this.#source.manager.log(run, { follow: true, after: log.line, signal })) {
        const shown = logItemOf(item, this.#source.mask);
        if (shown === undefined) continue;
        batch.add(shown);
        await this.#untilRead();
      }
      batch.flush();
      if (!signal.aborted) this.#send("log", { id: log.id, items: [], ended: true });
    } catch {
      // The store was away at the first read: try again. The client gets no `ended` meanwhile.
      batch.flush();
      if (!signal.aborted) setTimeout(() => void this.#followLog(log), 1_000).unref();
    }
  }

  #sendLines(log: FollowedLog, items: readonly LogItem[]): void {
    // A gap does not count: it may have started before, and is sent again to a client that reconnects.
    for (const item of items) if ("line" in item) log.line = item.line;
    this.#send("log", { id: log.id, items });
  }

  async #untilRead(): Promise<void> {
    while (!this.#over.signal.aborted && (this.#controller?.desiredSize ?? 0) < MOST_WAITING / 2) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }
}

/** Batches items: the first one is sent at once, the ones after it a moment later. */
class Batch {
  readonly #send: (items: readonly LogItem[]) => void;
  #items: LogItem[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(send: (items: readonly LogItem[]) => void) {
    this.#send = send;
  }

  add(item: LogItem): void {
    this.#items.push(item);
    this.#size += "text" in item ? item.text.length : 0;
    if (this.#items.length >= LINES || this.#size >= TEXT) this.flush();
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flush(), Math.max(1, this.#last + COALESCE - performance.now()));
      this.#timer.unref();
    }
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#size = 0;
    this.#send(items);
  }
}

/** The events that a client with this last event missed, and the lines of its logs that it has. */
function resume(
  last: string | undefined,
  hub: Hub,
  asked: readonly FollowedLog[],
): { readonly missed: readonly Sent[] | undefined; readonly logs: readonly FollowedLog[] } {
  const [, epoch, seq = "", lines] = /^([0-9a-f]+)-(\d+)(?:-([\d.]+))?$/.exec(last ?? "") ?? [];
  const had = lines?.split(".").map(Number) ?? [];
  // The lines of a log are the same on every server.
  const logs = asked.map(({ id, line }, i) => ({ id, line: Math.max(line, had[i] ?? 0) }));
  return { missed: epoch === hub.epoch ? hub.ring.after(Number(seq)) : undefined, logs };
}
