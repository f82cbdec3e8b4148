import { channelsAnswer } from "@ojm/core/internal";
import { Hono } from "hono";
import type { Endpoint } from "../contract/endpoint.js";
import type { SignIn } from "../contract/types.js";
import { secured } from "../security/headers.js";
import { addressOf, checkHost, checkOrigin, isForeign, isLocal } from "../security/origin.js";
import { Refusal, refusalOf } from "../security/refusal.js";
import { checkRole, isViewer } from "../security/roles.js";
import { type Place, placeOf } from "../static/base-path.js";
import { zipped } from "../static/gzip.js";
import type { Pages } from "../static/pages.js";
import type { RequestSource, UiOptions, Viewer, ViewOptions } from "../types.js";
import { Shared } from "../view/source.js";
import { type ApiRequest, bodyOf, Query } from "./api-request.js";
import { endpoints } from "./endpoints.js";
import { firstAnswers, firstQuestions, type Handler } from "./read.js";

/** A store that does not answer within this time is away, in ms. */
const PATIENCE = 2_000;

/** Without authentication, requests are not limited: they read the store at most once in this time, in ms. */
const LIFE = 1_000;

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "DELETE"];

/** A request on its way through the routes. */
interface Way {
  readonly request: Request;
  readonly place: Place;
  readonly from: RequestSource;
  /** The path below the base path, with its query. */
  readonly asked: string;
  /** The user who sends it, if that is already known. */
  readonly viewer?: Viewer;
}

/** Authorizes requests, and names the session that limits the streams of a viewer. */
export interface Gate {
  authorize: UiOptions["authorize"];
  sessionOf(request: Request, viewer: Viewer): string;
  /** How a user signs in, if the gate knows. */
  readonly signIn?: SignIn;
}

/** The API and the pages, after all checks. */
export class App {
  readonly #options: ViewOptions;
  readonly #handlers: Readonly<Record<string, Handler>>;
  readonly #gate: Gate;
  readonly #pages: Pages;
  /** Whether the store answers. */
  readonly #store: Shared<boolean>;
  readonly #routes: Hono<{ Bindings: Way }>;

  constructor(options: ViewOptions, handlers: Readonly<Record<string, Handler>>, gate: Gate, pages: Pages) {
    this.#options = options;
    this.#handlers = handlers;
    this.#gate = gate;
    this.#pages = pages;
    const { jobs, locks } = options.manager.channels;
    const ask = (): Promise<boolean> => channelsAnswer([locks, jobs], AbortSignal.timeout(PATIENCE));
    this.#store = new Shared(ask, { life: LIFE });
    this.#routes = this.#route();
  }

  /** Answers a request. Never rejects. */
  async answer(request: Request, from: RequestSource): Promise<Response> {
    try {
      const place = placeOf(request, this.#options, from);
      checkHost(request, this.#options);
      if (!METHODS.includes(request.method)) throw notAllowed(request.method, METHODS);
      const asked = `${place.path}${new URL(request.url).search}`;
      const response = await this.#dispatch({ request, place, from, asked });
      return secured(request.method === "HEAD" ? withoutBody(response) : await zipped(request, response));
    } catch (error) {
      return secured(refusalOf(error, this.#options.mask).response());
    }
  }

  /** The viewer who sends a request; `undefined` if there is none. */
  async viewerOf(request: Request): Promise<Viewer | undefined> {
    const viewer: unknown = (await this.#gate.authorize(request)) ?? undefined;
    if (viewer === undefined || isViewer(viewer)) return viewer;
    throw new Error("authorize() must return { user, role }, where role is read, operate or admin, or undefined");
  }

  async #dispatch(way: Way): Promise<Response> {
    const { request, place } = way;
    if (!place.path.startsWith("/api/")) {
      if (request.method !== "GET" && request.method !== "HEAD") throw notAllowed(request.method, ["GET", "HEAD"]);
      return (await this.#probe(way)) ?? this.#page(way);
    }
    checkOrigin(request, this.#options);
    return await this.#routed(way);
  }

  /** The answer to monitoring: whether the program is alive, whether it can work, and its metrics. */
  async #probe({ request, place: { path }, from }: Way): Promise<Response | undefined> {
    if (path === "/healthz") return text(200, "ok");
    if (path === "/readyz") return (await this.#store.get()) ? text(200, "ok") : text(503, "the store does not answer");
    if (path !== "/metrics" || this.#options.metrics === undefined) return undefined;
    checkOrigin(request, this.#options);
    // Metrics contain the names of the jobs.
    if (!isLocal(request, from.address) && (await this.viewerOf(request)) === undefined) {
      throw new Refusal("UNAUTHORIZED", "metrics are for programs of this machine, and for those who have a session");
    }
    const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
    return new Response(await this.#options.metrics(), { headers });
  }

  /** Routes only by the method and the path: the body stays with the original request. */
  async #routed(way: Way): Promise<Response> {
    const method = way.request.method === "HEAD" ? "GET" : way.request.method;
    return await this.#routes.fetch(new Request(new URL(way.asked, way.request.url), { method }), way);
  }

  #page(way: Way): Response {
    const { request, place } = way;
    const questions = firstQuestions(place.path, new URL(request.url).searchParams);
    if (request.method !== "GET" || questions.length === 0 || isForeign(request)) {
      return this.#pages.answer(request, place.path, place.base);
    }
    const viewer = this.viewerOf(request);
    const ask = async (path: string): Promise<Response> => {
      const known = await viewer;
      if (known === undefined) throw this.#unauthorized();
      return await this.#routed({ ...way, viewer: known, asked: `/api/v1/${path}` });
    };
    return this.#pages.answer(request, place.path, place.base, firstAnswers(questions, ask));
  }

  #route(): Hono<{ Bindings: Way }> {
    const routes = new Hono<{ Bindings: Way }>();
    for (const endpoint of endpoints) {
      routes.on(endpoint.method, endpoint.path, (context) => this.#ask(endpoint, context.req.param(), context.env));
    }
    for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
      const allowed = endpoints.filter((one) => one.path === path).map(({ method }) => method);
      routes.all(path, (context) => Promise.reject(notAllowed(context.req.method, allowed)));
    }
    routes.notFound(() => new Refusal("NOT_FOUND", "the API has no such endpoint").response());
    routes.onError((error) => refusalOf(error, this.#options.mask).response());
    return routes;
  }

  async #ask(endpoint: Endpoint, params: Readonly<Record<string, string>>, way: Way): Promise<Response> {
    const { request, place, from, asked: path } = way;
    const known = way.viewer ?? (endpoint.role === "none" ? undefined : await this.viewerOf(request));
    if (endpoint.role !== "none" && known === undefined) throw this.#unauthorized();
    const viewer: Viewer = known ?? { user: "anonymous", role: "read" };
    checkRole(endpoint, viewer, this.#options.readOnly === true);
    const handler = this.#handlers[endpoint.id];
    if (handler === undefined) throw new Refusal("NOT_FOUND", `"${endpoint.id}" is not served here`);
    const asked: ApiRequest = {
      request,
      endpoint,
      viewer,
      session: this.#gate.sessionOf(request, viewer),
      place,
      address: addressOf(request, this.#options, from.address),
      params,
      query: new Query(new URL(path, request.url).searchParams, endpoint),
      body: await bodyOf(request, endpoint),
    };
    const answer = await handler(asked);
    return answer instanceof Response ? answer : Response.json(answer);
  }

  #unauthorized(): Refusal {
    return new Refusal("UNAUTHORIZED", "you are not signed in, or the session is over", {}, this.#gate.signIn);
  }
}

function notAllowed(method: string, allowed: readonly string[]): Refusal {
  return new Refusal("METHOD", `${method.slice(0, 20)} is not possible here`, { Allow: allowed.join(", ") });
}

function withoutBody(response: Response): Response {
  // A stream that is not read would stay open.
  void response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

function text(status: number, said: string): Response {
  return new Response(`${said}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
