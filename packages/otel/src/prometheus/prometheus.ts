import type { IncomingMessage, ServerResponse } from "node:http";
import type { JobManager } from "@ojm/core";
import { unknownOption } from "@ojm/core/internal";
import { listen } from "../measure/listen.js";
import { measure } from "../measure/measure.js";
import { lastSuccesses } from "./last-success.js";
import { SeriesSink } from "./series.js";

const TEXT = "text/plain; charset=utf-8";
const METRICS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** Options of {@link openPrometheus}. */
export interface PrometheusOptions {
  /**
   * Adds when each job of the store last completed, in any process: `ojm_job_last_success_timestamp_seconds`.
   * Set it in only one process for each store, because all would show the same values. Default: only what
   * this process measures.
   */
  readonly manager?: JobManager;
  /**
   * Whether this process can do its work, besides the check by ojm itself: that the store answered the last
   * renewal of each session of this process. A process without a session, which has used no lock for a `ttl`,
   * renews nothing: read from the store here to learn that it is away. Default: it can.
   */
  readonly ready?: () => boolean | Promise<boolean>;
}

/** The metrics of this process. */
export interface Prometheus {
  /**
   * All metrics in the text format of Prometheus. Never rejects: while the store does not answer, the last
   * known times are shown, after 5 s.
   */
  text(): Promise<string>;
  /**
   * Answers `/metrics`, `/healthz` and `/readyz`. For any other path it returns false and leaves the request
   * to the caller. `path`: that of the request without the base path of the program. Default: its whole path.
   */
  handle(request: IncomingMessage, response: ServerResponse, path?: string): boolean;
  /** Stops measuring. */
  close(): void;
}

/**
 * Measures the events of this process, from now on, for Prometheus to read.
 *
 * @throws TypeError for an unknown option
 * @example
 * const metrics = openPrometheus();
 * createServer((request, response) => {
 *   if (!metrics.handle(request, response)) app(request, response);
 * }).listen(9464, "127.0.0.1");
 */
export function openPrometheus(options: PrometheusOptions = {}): Prometheus {
  checkOptions("openPrometheus", options, ["manager", "ready"]);
  const { manager, ready = () => true } = options;
  // With another kind of manager, each scrape would silently lack the requested metric.
  if (manager !== undefined && typeof manager.lastSuccesses !== "function")
    throw new TypeError("manager must be an open job manager, from openJobManager()");
  const sink = new SeriesSink();
  const successes = manager && lastSuccesses(manager, () => sink.put("namesFolded", 1, {}));
  const stop = measure(sink);
  /** The sessions whose last renewal failed. A session that is over is renewed no more: it says nothing. */
  const unrenewed = new Set<string>();
  const stopListening = listen({
    "ojm:session:renewal": ({ session, ok }) => {
      if (ok) unrenewed.delete(session);
      else unrenewed.add(session);
    },
    "ojm:session:ended": ({ session }) => {
      unrenewed.delete(session);
    },
  });

  const readiness = async (): Promise<string> => {
    if (unrenewed.size > 0) return "the store did not answer the last renewal of the session: locks may be lost soon";
    return (await ready()) ? "" : "the program says that it is not ready";
  };

  const text = async (): Promise<string> => {
    const ofStore = (await successes?.()) ?? "";
    return sink.text() + ofStore;
  };

  const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
    "/metrics": (response) => void text().then((all) => answer(response, 200, METRICS_TEXT, all)),
    "/healthz": (response) => answer(response, 200, TEXT, "ok\n"),
    "/readyz": (response) => {
      readiness().then(
        (why) => answer(response, why === "" ? 200 : 503, TEXT, why === "" ? "ok\n" : `${why}\n`),
        (error: unknown) => answer(response, 503, TEXT, `not ready: ${String(error)}\n`),
      );
    },
  };

  return {
    text,
    handle(request, response, path = pathOf(request)) {
      if (!Object.hasOwn(answers, path)) return false;
      if (request.method === "GET" || request.method === "HEAD") answers[path]?.(response);
      else answer(response, 405, TEXT, "only GET and HEAD\n", { Allow: "GET, HEAD" });
      return true;
    },
    close() {
      stop();
      stopListening();
    },
  };
}

/**
 * Rejects an unknown option: with a misspelt `host`, the server would listen on another address than
 * intended.
 *
 * @throws TypeError
 */
export function checkOptions(whose: string, options: object, known: readonly string[]): void {
  const problem = unknownOption(whose, options, known);
  if (problem !== undefined) throw new TypeError(problem);
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const headers = { "Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", ...more };
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(text) }).end(text);
}
