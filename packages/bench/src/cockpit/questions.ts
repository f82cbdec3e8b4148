import { runId } from "@ojm/core";
import { type Filling, LOGGED, nameOf, SPAN, startOf } from "./records.js";

const HOUR = 3_600_000;

/** A request to a route. */
export interface Question {
  /** The name of the question in the table. */
  readonly text: string;
  /** The path with its query. */
  readonly path: string;
  /** How long to wait before each, in ms: the UI answers from its memory for a moment. */
  readonly rest?: number;
  /** The id of the newest run of this job comes in place of `{}` in the path. */
  readonly newest?: string;
}

/** The part of an OpenAPI document that lists the routes. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, object>>;
}

/** How long `now` stays the same for all clients, in ms, plus a margin. */
const NOW_LIFE = 260;

/** The questions of each GET route, by its path in the OpenAPI document. */
type Asked = Readonly<Record<string, readonly Question[]>>;

/**
 * The questions to each GET route of the API.
 *
 * @throws Error if the document has a GET route without questions, or lacks a route that has questions
 */
export function questionsOf(document: ApiDocument, filling: Filling): Question[] {
  const asked = questions(filling);
  const routes = Object.entries(document.paths)
    .filter(([, methods]) => "get" in methods)
    .map(([path]) => path);
  const forgotten = routes.filter((path) => asked[path] === undefined);
  const gone = Object.keys(asked).filter((path) => !routes.includes(path));
  if (forgotten.length > 0) throw new Error(`nothing is asked of ${forgotten.join(", ")}: add a question`);
  if (gone.length > 0) throw new Error(`the API has no ${gone.join(", ")}: remove these questions`);
  return routes.flatMap((path) => asked[path] ?? []);
}

function questions(filling: Filling): Asked {
  const { now, total, names } = filling;
  const name = nameOf(7);
  // The newest run of that name, and one in the middle of the week.
  const run = (share: number): string => {
    const i = Math.floor((share * (total - 1 - 7)) / names) * names + 7;
    return encodeURIComponent(runId({ name, startTime: startOf(i, filling) }));
  };
  const line = `/api/v1/timeline?px=1000&to=${now}&from=`;
  const one = (text: string, path: string): Question => ({ text, path });
  return {
    "/api/v1/me": [one("me", "/api/v1/me")],
    "/api/v1/now": [{ ...one("now", "/api/v1/now"), rest: NOW_LIFE }],
    "/api/v1/timeline": [
      one("timeline, 1 h", `${line}${now - HOUR}`),
      one("timeline, 24 h", `${line}${now - 24 * HOUR}`),
      one("timeline, 24 h, ends tomorrow", `/api/v1/timeline?px=1000&from=${now - 24 * HOUR}&to=${now + 24 * HOUR}`),
      one("timeline, 7 days", `${line}${now - SPAN}`),
      one("timeline, 7 days, 10 jobs", `${line}${now - SPAN}&q=job-10`),
      one("timeline, 6 h in the middle", `/api/v1/timeline?from=${now - SPAN / 2}&to=${now - SPAN / 2 + 6 * HOUR}`),
    ],
    "/api/v1/jobs": [
      one("jobs", "/api/v1/jobs"),
      one("jobs, found by text", "/api/v1/jobs?q=job-10"),
      one("jobs, the slower first", "/api/v1/jobs?sort=slower"),
    ],
    "/api/v1/jobs/{name}": [one("job", `/api/v1/jobs/${name}`)],
    "/api/v1/jobs/{name}/why": [one("why", `/api/v1/jobs/${name}/why`)],
    "/api/v1/runs": [
      one("runs", "/api/v1/runs"),
      one("runs, 200", "/api/v1/runs?limit=200"),
      one("runs in error", "/api/v1/runs?status=failed,lost"),
      one("runs that completed", "/api/v1/runs?status=completed"),
      one("runs that go on", "/api/v1/runs?status=running"),
      one("runs that were skipped", "/api/v1/runs?status=skipped"),
      one("runs of a window", `/api/v1/runs?from=${now - SPAN / 2}&to=${now - SPAN / 2 + 6 * HOUR}`),
      one("runs before a run", `/api/v1/runs?before=${run(0.5)}`),
      one("runs of a job", `/api/v1/runs?name=${name}&limit=20`),
      one("runs of a job in error", `/api/v1/runs?name=${name}&status=failed&limit=1`),
    ],
    "/api/v1/runs/{id}": [one("run", `/api/v1/runs/${run(1)}`), one("run in the middle", `/api/v1/runs/${run(0.5)}`)],
    "/api/v1/runs/{id}/log": [
      { ...one("log, its end", "/api/v1/runs/{}/log?tail=200"), newest: LOGGED },
      { ...one("log", "/api/v1/runs/{}/log?after=500"), newest: LOGGED },
    ],
    "/api/v1/runs/{id}/log.txt": [{ ...one("log, to download", "/api/v1/runs/{}/log.txt"), newest: LOGGED }],
    "/api/v1/queues": [one("queues", "/api/v1/queues")],
    // The store that is measured has no queues.
    "/api/v1/queues/{name}": [],
    "/api/v1/queues/{name}/items": [],
    "/api/v1/queues/{name}/items/{id}": [],
    "/api/v1/locks": [one("locks", "/api/v1/locks")],
    "/api/v1/zones": [one("zones", "/api/v1/zones")],
    "/api/v1/audit": [one("audit", "/api/v1/audit"), one("audit of a job", `/api/v1/audit?name=${name}`)],
    "/api/v1/events": [one("events, the first one", "/api/v1/events")],
  };
}
