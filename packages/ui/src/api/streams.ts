import { parseRunId } from "@ojm/core";
import type { Hub } from "../live/hub.js";
import { EventStream } from "../live/stream.js";
import { Refusal } from "../security/refusal.js";
import type { Source } from "../view/source.js";
import type { ApiRequest } from "./api-request.js";
import type { Handler } from "./read.js";

/** The most streams of one viewer, and of all. */
const OF_ONE = 20;
const OF_ALL = 200;

/** The most logs that one stream follows. */
const LOGS = 10;

/** How often the access of viewers with streams is checked again, in ms. */
const RECHECK = 60_000;

interface Open {
  readonly stream: EventStream;
  readonly session: string;
  readonly request: Request;
}

/** The streams that are open. */
export class Streams {
  readonly #source: Source;
  readonly #hub: Hub;
  readonly #isAllowed: (request: Request) => Promise<boolean>;
  readonly #open: Set<Open> = new Set();
  readonly #timer: NodeJS.Timeout;

  constructor(source: Source, hub: Hub, isAllowed: (request: Request) => Promise<boolean>) {
    this.#source = source;
    this.#hub = hub;
    this.#isAllowed = isAllowed;
    this.#timer = setInterval(() => void this.recheck(), RECHECK);
    this.#timer.unref();
  }

  readonly open: Handler = async ({ request, query, session }: ApiRequest) => {
    const ids = query.texts("log");
    if (ids.length > LOGS) throw new Refusal("INVALID", `a stream follows ${LOGS} logs at most, not ${ids.length}`);
    const unknown = ids.find((id) => parseRunId(id) === undefined);
    if (unknown !== undefined) throw new Refusal("INVALID", `no run has the id "${unknown.slice(0, 100)}"`);
    const after = query.counts("after");
    const logs = ids.map((id, i) => ({ id, line: after[i] ?? 0 }));
    const own = [...this.#open].filter((one) => one.session === session).length;
    if (own >= OF_ONE || this.#open.size >= OF_ALL) {
      const text = own >= OF_ONE ? `you have ${own} streams open` : `${this.#open.size} streams are open`;
      throw new Refusal("LIMIT", `${text}: close some tabs`, { "Retry-After": "5" });
    }
    const last = request.headers.get("Last-Event-ID") ?? undefined;
    const stream = new EventStream(this.#source, this.#hub, { logs, last });
    const open: Open = { stream, session, request };
    this.#open.add(open);
    void stream.ended.then(() => this.#open.delete(open));
    return new Response(stream.body, {
      headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
    });
  };

  /** Ends the streams of viewers who have lost their access. */
  async recheck(): Promise<void> {
    for (const { stream, request } of [...this.#open]) if (!(await this.#isAllowed(request))) stream.close();
  }

  /** Ends the streams of one viewer. */
  end(session: string): void {
    for (const one of [...this.#open]) if (one.session === session) one.stream.close();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { stream } of [...this.#open]) stream.close();
  }
}
