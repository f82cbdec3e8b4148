import type { JobManager } from "@ojm/core";
import { channelsAnswer } from "@ojm/core/internal";
import { checkOrigin, isLocal } from "../security/origin.js";
import { Refusal } from "../security/refusal.js";
import type { RequestSource, Viewer, ViewOptions } from "../types.js";
import { Shared } from "../view/source.js";

/** A store that does not answer within this time is away, in ms. */
const PATIENCE = 2_000;

/** Without authentication, requests are not limited: they read the store at most once in this time, in ms. */
const LIFE = 1_000;

/** Answers monitoring: whether the program is alive, whether it can work, and its metrics. */
export class Probes {
  readonly #options: ViewOptions;
  readonly #viewerOf: (request: Request) => Promise<Viewer | undefined>;
  readonly #store: Shared<boolean>;

  constructor(options: ViewOptions, viewerOf: (request: Request) => Promise<Viewer | undefined>) {
    this.#options = options;
    this.#viewerOf = viewerOf;
    this.#store = new Shared(() => answers(options.manager), { life: LIFE });
  }

  /** The answer; `undefined` if the path is not a probe. */
  async answer(request: Request, path: string, from: RequestSource): Promise<Response | undefined> {
    if (path === "/healthz") return text(200, "ok");
    if (path === "/readyz") return (await this.#store.get()) ? text(200, "ok") : text(503, "the store does not answer");
    if (path !== "/metrics" || this.#options.metrics === undefined) return undefined;
    checkOrigin(request, this.#options);
    // Metrics contain the names of the jobs.
    if (!isLocal(request, from.address) && (await this.#viewerOf(request)) === undefined) {
      throw new Refusal("UNAUTHORIZED", "metrics are for programs of this machine, and for those who have a session");
    }
    const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
    return new Response(await this.#options.metrics(), { headers });
  }
}

/** Whether the stores of a manager answer. */
const answers = ({ channels: { jobs, locks } }: JobManager): Promise<boolean> =>
  channelsAnswer([locks, jobs], AbortSignal.timeout(PATIENCE));

function text(status: number, said: string): Response {
  return new Response(`${said}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
