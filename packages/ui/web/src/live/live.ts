import { effect, signal } from "@preact/signals";
import { ageOf } from "../api/call.js";
import { keptResource, type Resource } from "../api/resource.js";
import type { Events, LogItem, Now, Running } from "../api/types.js";
import { addressOf } from "../app/base.js";
import { signedOut } from "../app/me.js";
import { serverNow, setClock } from "../format/clock.js";
import { type FromHub, Hub, type ToHub } from "./hub.js";
import { publishNews } from "./news.js";
import type { StreamState } from "./stream.js";

/** Whether the shown data is live; if it is not, the time of the data. */
export const connection = signal<{ readonly state: StreamState | "stale"; readonly since: number }>({
  state: "connecting",
  since: serverNow(),
});

/** All running runs, by id. Undefined until they are known. */
export const running = signal<ReadonlyMap<string, Running> | undefined>(undefined);

/** The other data of the page "Now". */
export const { data: now, error: nowError, refresh: refreshNow }: Resource<Now> = keptResource("now");

type LogTaker = (items: readonly LogItem[] | "reset") => void;

/** The logs that this tab follows, by the id of their run. */
const logs = new Map<string, { readonly after: number; readonly takers: Set<LogTaker> }>();

/** Follows the log of a run after a line. Returns the function that stops it. */
export function followLog(id: string, after: number, take: LogTaker): () => void {
  const takers = logs.get(id)?.takers ?? new Set();
  logs.set(id, { after, takers: takers.add(take) });
  follow();
  return () => {
    takers.delete(take);
    if (takers.size > 0) return;
    logs.delete(id);
    follow();
  };
}

/** Sends a message to the hub, once the tab is connected. */
let post: ((message: ToHub) => void) | undefined;

function follow(): void {
  const followed = [...logs].map(([id, { after }]) => ({ id, after }));
  post?.({ kind: "follow", address: addressOf("api/v1/events"), logs: followed });
}

/** How often it is read again, in ms: no event reports an overdue tick, or the end of the last process. */
const REFRESH = 15_000;

/** Starts the stream, or restarts it after a new sign-in. */
export function goLive(): void {
  if (post === undefined) {
    post = channel();
    // A tab that is closed, or kept for "back", needs no stream.
    addEventListener("pagehide", () => post?.({ kind: "bye" }));
    addEventListener("pageshow", ({ persisted }) => persisted && follow());
    setInterval(() => {
      if (!document.hidden) refreshNow();
    }, REFRESH);
  }
  follow();
}

function readAgain(): void {
  refreshNow();
  publishNews("all");
  for (const { takers } of logs.values()) for (const taker of takers) taker("reset");
}

function take(message: FromHub): void {
  if (message.kind === "state") {
    if (message.state === "ended") signedOut.value = true;
    const { state, silent } = message;
    if (state !== connection.peek().state) connection.value = { state, since: serverNow() - silent };
    return;
  }
  const { event, data } = message.event;
  const handler = handlers[event as keyof Events] as ((received: unknown) => void) | undefined;
  handler?.(JSON.parse(data));
}

const handlers: { readonly [Name in keyof Events]: (received: Events[Name]) => void } = {
  hello: ({ at }) => {
    setClock(at);
    readAgain();
  },
  running: applyRunning,
  changed: ({ at, names }) => {
    for (const name of names) changed.names.add(name);
    changed.at = at;
    changed.timer ??= setTimeout(publishChanged, Math.max(0, changed.published + PACE - Date.now()));
  },
  log: ({ id, items }) => {
    for (const taker of logs.get(id)?.takers ?? []) taker(items);
  },
  stale: ({ since }) => {
    connection.value = { state: "stale", since };
  },
  fresh: () => {
    connection.value = { state: "live", since: serverNow() };
    readAgain();
  },
  reset: readAgain,
};

/**
 * Once the stream has sent the running runs, only the stream changes them: an answer of the API may be older
 * than the last event, and would bring back a run that has ended.
 */
function applyRunning({ all = false, put, gone }: Events["running"]): void {
  const known = running.peek();
  if (known === undefined && !all) return;
  const next = new Map(all ? [] : known);
  for (const id of gone) next.delete(id);
  for (const run of put) next.set(run.id, run);
  running.value = next;
}

/** How often the pages read what changed, in ms: a busy store has changes without a break. */
const PACE = 2_000;

/** The jobs that changed since the pages last read them, and when, by the clock of the server. */
const changed = {
  names: new Set<string>(),
  at: 0,
  published: Number.NEGATIVE_INFINITY,
  timer: undefined as ReturnType<typeof setTimeout> | undefined,
};

/** When the last change was that the pages know of, by the clock of the server. */
let changedAt = 0;

function publishChanged(): void {
  const names = [...changed.names];
  changed.names.clear();
  changed.timer = undefined;
  changed.published = Date.now();
  changedAt = changed.at;
  publishNews(names);
  refreshNow();
}

/** How long the server shares one answer between clients, in ms: it may be older than the last change. */
const MOMENT = 300;

effect(() => {
  const answer = now.value;
  if (answer === undefined) return;
  setClock(answer.at + ageOf(answer));
  if (answer.at <= changedAt) setTimeout(refreshNow, MOMENT);
  if (running.peek() === undefined) running.value = new Map(answer.running.map((run) => [run.id, run]));
});

/** Connects to the hub. Returns the function that sends it a message. */
function channel(): (message: ToHub) => void {
  if (typeof SharedWorker === "function") {
    try {
      const worker = new SharedWorker(new URL("./shared.worker.ts", import.meta.url), { type: "module" });
      worker.port.onmessage = ({ data }: MessageEvent<FromHub>) => take(data);
      return (message) => worker.port.postMessage(message);
    } catch {
      // Some browsers have no shared worker in a private window: this tab then has a stream of its own.
    }
  }
  const hub = new Hub();
  return (message) => hub.take(take, message);
}
