import { setTimeout } from "node:timers/promises";
import { parseRunId, type RunRef } from "@ojm/core";
import type { Endpoint, EndpointPage, Parameter } from "../contract/endpoint.js";
import type { Answers, Now } from "../contract/types.js";
import { Refusal } from "../security/refusal.js";
import { auditOf } from "../view/audit.js";
import { jobDetailOf, jobsOf, type NamesQuery, type RangeQuery, readZones, zonesOf } from "../view/jobs/jobs.js";
import { whyOf } from "../view/jobs/why.js";
import { locksOf } from "../view/locks.js";
import { nowOf } from "../view/now/now.js";
import { isItemState, itemPageOf, itemsOf, queueDetailOf, queuesOf } from "../view/queues.js";
import { recordOf } from "../view/runs/items.js";
import { logOf, logText } from "../view/runs/log.js";
import { runOf } from "../view/runs/run.js";
import { type RunsQuery, runsOf } from "../view/runs/runs.js";
import { Shared, type Source } from "../view/source.js";
import { timelineOf } from "../view/timeline/timeline.js";
import type { ApiRequest, Query } from "./api-request.js";

const DAY = 86_400_000;

/** The longest timeline: core does not count more hours at once. */
const LONGEST_DAYS = 400;

/** How long clients share one answer to `now`, in ms. */
const NOW_LIFE = 250;

/** The same for the zones of the schedules, which each page requests once a minute. */
const ZONES_LIFE = 10_000;

const LIMIT: Parameter = { type: "count", text: "the most items" };
const NAME_AFTER: Parameter = { type: "text", text: "only names after this one" };
const Q: Parameter = { type: "text", text: "only names that have this text in them, or match this pattern with `*`" };

/** A page that first requests a list with its filters; nothing if it has filters that the API lacks. */
const listPage = (path: string, limit: number, known: readonly string[]): EndpointPage => ({
  path: new RegExp(`^/${path}$`),
  first: (_, query) => {
    if ([...query.keys()].some((key) => !known.includes(key))) return [];
    const asked = new URLSearchParams({ limit: String(limit) });
    for (const key of known) if (query.get(key)) asked.set(key, query.get(key) ?? "");
    return [`${path}?${asked}`];
  },
});

/** A page whose program is loaded when it is shown: answers of the first load are forgotten by then. */
const LATE = (): readonly string[] => [];

const look = (
  id: keyof Answers | "log.txt",
  path: string,
  summary: string,
  more: Partial<Pick<Endpoint, "answer" | "query" | "page">> = {},
): Endpoint => ({
  ...{ id, method: "GET", path: `/api/v1/${path}`, summary, role: "read" },
  answer: id as Endpoint["answer"],
  ...more,
});

/** The endpoints that read the store, and the pages that show them. */
export const readEndpoints: readonly Endpoint[] = [
  look("me", "me", "The user, and the store"),
  look("now", "now", "Problems, what runs, and what is next", { page: { path: /^\/$/, first: () => ["now"] } }),
  look("timeline", "timeline", "Runs and ticks of all jobs", {
    query: {
      from: { type: "time", text: "the start. Default: 24 hours before `to`" },
      to: { type: "time", text: "the end, which may lie ahead. Default: now" },
      px: { type: "count", text: "how wide it is drawn: runs closer than a pixel are merged. Default: 1000" },
      limit: LIMIT,
      after: NAME_AFTER,
      q: Q,
    },
    page: { path: /^\/timeline$/, first: LATE },
  }),
  look("jobs", "jobs", "The jobs, by name", {
    query: {
      limit: LIMIT,
      after: { type: "text", text: "only jobs after this one in the list: its name" },
      q: Q,
      state: {
        type: "text",
        text: "only those that are `failing`, `paused`, `held`, `running` or `slow`, with commas between",
      },
      host: { type: "text", text: "only jobs whose newest run is on such a host: a part of its name, or a pattern" },
      sort: { type: "text", text: "`slower`: those first that became the slowest since the week before" },
    },
    page: listPage("jobs", 100, ["q", "state", "host", "sort"]),
  }),
  look("job", "jobs/:name", "A job and its ticks", {
    query: {
      from: { type: "time", text: "only ticks at this time or later" },
      to: { type: "time", text: "only ticks before this time" },
    },
    page: { path: /^\/jobs\/([^/]+)$/, first: (name) => [`jobs/${name}`] },
  }),
  look("why", "jobs/:name/why", "Why a job does not run now, did not run at a time, or why a run ended as it did", {
    query: {
      at: { type: "time", text: "why it ran, or did not run, in the minute from this time on" },
      run: { type: "text", text: "why this run of the job ended as it did, and took so long" },
    },
    page: {
      path: /^\/jobs\/([^/]+)\/why$/,
      first: (name, query) => [`jobs/${name}/why${query.size === 0 ? "" : `?${query}`}`],
    },
  }),
  look("runs", "runs", "The runs, newest first", {
    query: {
      name: { type: "text", text: "only the runs of this job" },
      q: Q,
      status: { type: "statuses", text: "only these statuses, with commas between them" },
      host: { type: "text", text: "only runs on such a host: a part of its name, or a pattern with `*`" },
      from: { type: "time", text: "only runs that began at this time or later" },
      to: { type: "time", text: "only runs that began before this time" },
      before: { type: "text", text: "only runs after this one in the list: its id" },
      limit: LIMIT,
    },
    page: listPage("runs", 50, ["name", "q", "status", "host"]),
  }),
  look("run", "runs/:id", "A run", {
    page: { path: /^\/runs\/([^/]+)$/, first: (id) => [`runs/${id}`, `runs/${id}/log?tail=400`] },
  }),
  look("log", "runs/:id/log", "Lines of the log of a run", {
    query: {
      after: { type: "count", text: "only lines after this one" },
      tail: { type: "count", text: "only this many of the last lines" },
      limit: LIMIT,
    },
    page: { path: /^\/compare$/, first: LATE },
  }),
  look("log.txt", "runs/:id/log.txt", "The log of a run, to download", { answer: "text/plain" }),
  look("zones", "zones", "The time zones of the schedules, by name", { query: { limit: LIMIT, after: NAME_AFTER } }),
  look("queues", "queues", "The queues, by name", {
    query: { limit: LIMIT, after: NAME_AFTER, q: Q },
    page: { path: /^\/queues$/, first: LATE },
  }),
  look("queue", "queues/:name", "A queue, and the errors of its dead letters", {
    page: { path: /^\/queues\/[^/]+$/, first: LATE },
  }),
  look("items", "queues/:name/items", "Items of a queue, without their data", {
    query: { state: { type: "text", text: "only `active`, `waiting`, `delayed` or `dead` ones" }, limit: LIMIT },
  }),
  look("item", "queues/:name/items/:id", "An item of a queue, and its attempts", {
    page: { path: /^\/queues\/[^/]+\/items\/[^/]+$/, first: LATE },
  }),
  look("locks", "locks", "Locks, processes and schedulers", {
    page: { path: /^\/locks$/, first: () => ["locks"] },
  }),
  look("audit", "audit", "What people did, newest first", {
    query: {
      name: { type: "text", text: "only what was done to this job" },
      q: Q,
      before: { type: "time", text: "only what was done before this time" },
      limit: LIMIT,
    },
    page: listPage("audit", 100, ["name", "q"]),
  }),
  look("events", "events", "What changes, as server-sent events", {
    query: {
      log: { type: "texts", text: "the id of a run whose log is followed; may be repeated" },
      after: { type: "counts", text: "for each `log`: only lines after this one" },
    },
    answer: "text/event-stream",
  }),
];

/** Answers a request. */
export type Handler = (asked: ApiRequest) => Promise<object | Response>;

/** The handlers of the endpoints that read the store. */
export function readHandlers(source: Source): Readonly<Record<string, Handler>> {
  const now = new Shared<Now>(() => nowOf(source), { life: NOW_LIFE });
  const zones = new Shared(() => readZones(source), { life: ZONES_LIFE });
  return {
    now: () => now.get(),
    timeline: async ({ query }) => {
      const to = query.time("to") ?? Date.now();
      const from = query.time("from") ?? to - DAY;
      if (to <= from) throw new Refusal("INVALID", "to must be after from");
      if (to - from > LONGEST_DAYS * DAY)
        throw new Refusal("INVALID", `a timeline shows at most ${LONGEST_DAYS} days: move from and to closer together`);
      const px = Math.min(10_000, Math.max(10, query.count("px") ?? 1_000));
      return timelineOf(source, { from, to, px, ...names(query, 40, 100) });
    },
    jobs: async ({ query }) => {
      const sort = query.text("sort");
      if (sort !== undefined && sort !== "slower")
        throw new Refusal("INVALID", `sort is "slower" or absent, not "${sort.slice(0, 100)}"`);
      const [state, host] = [query.text("state"), query.text("host")];
      return jobsOf(source, { ...names(query, 50, 100), sort, state, host });
    },
    job: async ({ params: { name = "" }, query }) =>
      found(await jobDetailOf(source, name, range(query)), `job "${name}"`),
    why: async ({ params: { name = "" }, query }) => {
      const run = query.text("run");
      return found(await whyOf(source, name, { at: query.time("at"), run }), `run "${run}" of the job`);
    },
    runs: async ({ query }) => {
      const [status, host, before] = [query.statuses("status"), query.text("host"), query.text("before")];
      return runsOf(source, { ...named(query), ...range(query), status, host, before, limit: query.limit(50, 200) });
    },
    run: async ({ params: { id = "" } }) => found(await runOf(source, id), `run "${id}"`),
    log: async ({ params: { id = "" }, query }) => {
      const [after, tail] = [query.count("after"), query.count("tail")];
      const limit = query.limit(tail ?? 1_000, 2_000);
      return logOf(source, await runRefOf(source, id), { after, tail, limit });
    },
    "log.txt": async ({ params: { id = "" } }) => download(source, id, await runRefOf(source, id)),
    queues: async ({ query }) => queuesOf(source, names(query, 50, 100)),
    queue: async ({ params: { name = "" } }) => found(await queueDetailOf(source, name), `queue "${name}"`),
    items: async ({ params: { name = "" }, query }) => {
      const state = query.text("state");
      if (state !== undefined && !isItemState(state))
        throw new Refusal("INVALID", `unknown state "${state.slice(0, 100)}"`);
      const items = await itemsOf(source, name, { state, limit: query.limit(50, 200) });
      return found(items, `queue "${name}"`);
    },
    item: async ({ params: { name = "", id = "" } }) =>
      found(await itemPageOf(source, name, id), `item "${id}" of a queue "${name}"`),
    locks: () => locksOf(source),
    zones: async ({ query }) => zonesOf(await zones.get(), names(query, 1_000, 2_000)),
    audit: async ({ query }) =>
      auditOf(source, { ...named(query), before: query.time("before"), limit: query.limit(50, 200) }),
  };
}

const named = (query: Query): Pick<RunsQuery, "name" | "q"> => ({ name: query.text("name"), q: query.text("q") });

const names = (query: Query, usual: number, most: number): NamesQuery => ({
  after: query.text("after"),
  q: query.text("q"),
  limit: query.limit(usual, most),
});

const range = (query: Query): RangeQuery => ({ from: query.time("from"), to: query.time("to") });

function found<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new Refusal("NOT_FOUND", `this store has no ${what.slice(0, 300)}`);
}

async function runRefOf(source: Source, id: string): Promise<RunRef> {
  const ref = found(parseRunId(id), `run "${id}"`);
  found(await recordOf(source, ref), `run "${id}"`);
  return ref;
}

function download(source: Source, id: string, run: RunRef): Response {
  const text = logText(source, run);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await text.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => void (await text.return()),
  });
  const name = id.replace(/[^\w.@-]+/g, "_").slice(0, 150);
  return new Response(body, {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Disposition": `attachment; filename="${name}.log.txt"`,
    },
  });
}

/** How long a page waits for the first answers, in ms. Its program requests the others itself. */
const WAIT = 500;

/** Whether a path has a page. Otherwise the program says that there is none, with status 404. */
export const isPage = (path: string): boolean =>
  path === "/index.html" || readEndpoints.some(({ page }) => page?.path.test(path) === true);

/** The first requests of the program of a page: paths below `/api/v1/`. Empty if the path has no page. */
export function firstQuestions(page: string, query: URLSearchParams): readonly string[] {
  const asked = readEndpoints.flatMap(({ page: shown }) => {
    const found = shown?.path.exec(page);
    return found == null ? [] : (shown?.first(encoded(found[1] ?? ""), query) ?? []);
  });
  return asked.length === 0 ? [] : ["me", ...asked];
}

/**
 * The answers to the first requests. They come with the page, so that the program can show them without
 * another round trip. Answers that fail or take too long are left to the program. Never rejects.
 */
export async function firstAnswers(
  questions: readonly string[],
  ask: (path: string) => Promise<Response>,
): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {};
  const all = questions.map(async (path) => {
    const answer = await ask(path);
    if (answer.ok) answers[path] = await answer.json();
  });
  await Promise.race([Promise.allSettled(all), setTimeout(WAIT, undefined, { ref: false })]);
  return { ...answers };
}

/** A part of a path in the encoding of the program. The address may leave characters unencoded. */
function encoded(part: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(part));
  } catch {
    return encodeURIComponent(part);
  }
}
