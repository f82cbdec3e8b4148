import { batch, signal } from "@preact/signals";
import { read, session } from "../api/call.js";
import { ageOf } from "../api/first.js";
import type { Events, LogItem, Now, Running } from "../api/types.js";
import { serverNow, setClock } from "../format/clock.js";
import { connect } from "./connect.js";
import type { FromHub } from "./hub.js";
import { publishNews } from "./news.js";
import type { Follow, StreamState } from "./stream.js";

/** Whether the shown data is live; if it is not, the time of the data. */
export const connection = signal<{ readonly state: StreamState | "stale"; readonly since: number }>({
  state: "connecting",
  since: serverNow(),
});

/** All running runs, by id. Undefined until they are known. */
export const running = signal<ReadonlyMap<string, Running> | undefined>(undefined);

/** The other data of the page "Now". */
export const now = signal<Now | undefined>(undefined);

type LogTaker = (items: readonly LogItem[] | "reset") => void;

const followers = new Map<string, Set<LogTaker>>();
const follows = new Map<string, Follow>();
let sendLogs: (logs: readonly Follow[]) => void = () => {};

/** Follows the log of a run after a line. Returns the function that stops it. */
export function followLog(id: string, after: number, take: LogTaker): () => void {
  followers.set(id, (followers.get(id) ?? new Set()).add(take));
  follows.set(id, { id, after });
  sendLogs([...follows.values()]);
  return () => {
    const set = followers.get(id);
    set?.delete(take);
    if (set === undefined || set.size > 0) return;
    followers.delete(id);
    follows.delete(id);
    sendLogs([...follows.values()]);
  };
}

let isConnected = false;

/** How often it is read again, in ms: no event reports an overdue tick, or the end of the last process. */
const REFRESH = 15_000;

/** Starts the stream, or restarts it after a new sign-in. */
export function goLive(): void {
  if (!isConnected) {
    sendLogs = connect(take);
    setInterval(() => {
      if (!document.hidden) void refreshNow();
    }, REFRESH);
  }
  isConnected = true;
  sendLogs([...follows.values()]);
}

function readAgain(): void {
  void refreshNow();
  publishNews("all");
  for (const set of followers.values()) for (const follower of set) follower("reset");
}

function take(message: FromHub): void {
  if (message.kind === "state") {
    if (message.state === "ended") session.ended();
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
    changedAt = at;
    publishNews(names);
    void refreshNow();
  },
  log: ({ id, items }) => {
    for (const follower of followers.get(id) ?? []) follower(items);
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

/** When something last changed, by the clock of the server. */
let changedAt = 0;

/**
 * How long the server shares one answer between clients, in ms: the answer may be older than the last change.
 */
const MOMENT = 300;

let busy = false;
let again = false;

/** The error of the last read of the page "Now". */
export const nowError = signal<unknown>(undefined);

/** Reads the data of the page "Now", at once or after the call in progress. */
export async function refreshNow(): Promise<void> {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const answer = await read<Now>("now");
    batch(() => {
      setClock(answer.at + ageOf(answer));
      now.value = answer;
      nowError.value = undefined;
      if (answer.at <= changedAt) setTimeout(() => void refreshNow(), MOMENT);
      if (running.peek() === undefined) running.value = new Map(answer.running.map((run) => [run.id, run]));
    });
  } catch (error) {
    nowError.value = error;
    setTimeout(() => void refreshNow(), 2_000);
  } finally {
    busy = false;
    if (again) {
      again = false;
      void refreshNow();
    }
  }
}
