import { emitWarning, unknownOption, VERSIONS } from "@ojm/core/internal";
import { openQueues } from "@ojm/queue";
import { openScheduler } from "@ojm/schedule";
import { OVERDUE_AFTER } from "@ojm/schedule/operator";
import { actHandlers } from "./api/acts.js";
import { App, type Gate } from "./api/app.js";
import { manyHandlers } from "./api/many-acts.js";
import { queueActHandlers } from "./api/queue-acts.js";
import { type Handler, readHandlers } from "./api/read.js";
import { Streams } from "./api/streams.js";
import type { Me } from "./contract/types.js";
import { listenerOf } from "./listener.js";
import { Hub } from "./live/hub.js";
import { plain } from "./static/base-path.js";
import { Pages } from "./static/pages.js";
import type { RequestSource, Ui, UiOptions, Viewer, ViewOptions } from "./types.js";
import type { Source } from "./view/source.js";
import { addressOf, storeText } from "./view/store.js";

/** The parts of a UI that the handlers of its own server need. */
export interface UiParts {
  readonly streams: Streams;
  readonly me: (viewer: Viewer) => Me;
}

/**
 * A UI to mount in your own server: `docs/how-to/ui-behind-a-proxy.md` shows `node:http`, Express, Koa,
 * Fastify and Hono. `authorize` is required: it identifies the viewer.
 *
 * @throws TypeError if an option is wrong
 * @example
 * const ui = openUi({ manager, authorize: (request) => viewerOf(request.headers.get("cookie")) });
 * createServer(ui.listener).listen(8080, "127.0.0.1");
 */
export function openUi(options: UiOptions): Ui {
  if (typeof options?.authorize !== "function") {
    throw new TypeError(
      "openUi needs authorize(request), which returns the user: { user, role }, or undefined if there is none",
    );
  }
  check(options, "openUi");
  return uiBehind({ authorize: options.authorize, sessionOf: (_, { user }) => user }, options);
}

/** The UI behind a gate. `more`: handlers of endpoints that only its own server has. */
export function uiBehind(
  gate: Gate,
  given: ViewOptions,
  more: (parts: UiParts) => Readonly<Record<string, Handler>> = () => ({}),
): Ui {
  const mask = guarded(given.mask ?? ((text) => text));
  const options: ViewOptions = { ...given, mask };
  const { manager, scheduler, readOnly = false, showResults = false } = options;
  const { reasons = async () => [] } = options;
  const own = scheduler ?? openScheduler(manager);
  const hub = new Hub(manager, mask, async (running) => {
    return (await reasons(undefined, running)).filter(({ code }) => code === "orphaned");
  });
  const queues = openQueues(manager);
  const source: Source = { manager, scheduler: own, queues, hub, showResults, mask, reasons };
  const streams: Streams = new Streams(
    source,
    hub,
    async (request) => (await app.viewerOf(request).catch(() => undefined)) !== undefined,
  );
  const { address = addressOf(manager) } = options;
  const me = ({ user, role }: Viewer): Me => ({
    user,
    role,
    ...(gate.signIn !== undefined && { signIn: gate.signIn }),
    readOnly,
    version: VERSIONS.ojm,
    store: options.store ?? storeText(manager),
    ...(address !== undefined && { address }),
    now: Date.now(),
    showResults,
    overdueAfter: OVERDUE_AFTER,
  });
  const handlers: Readonly<Record<string, Handler>> = {
    ...readHandlers(source),
    ...actHandlers(source),
    ...queueActHandlers(source),
    ...manyHandlers(source),
    me: async ({ viewer }) => me(viewer),
    events: streams.open,
    ...more({ streams, me }),
  };
  const app: App = new App(options, handlers, gate, new Pages());
  const answer = (request: Request, from: RequestSource = {}): Promise<Response> => app.answer(request, from);
  return {
    fetch: answer,
    listener: listenerOf(answer),
    close: async () => {
      streams.close();
      hub.close();
      await queues.close();
      if (scheduler === undefined) await own.close();
    },
  };
}

/** If the mask fails, the text is hidden, because an unmasked text could show a secret. Warns once. */
function guarded(mask: (text: string) => string): (text: string) => string {
  let hasWarned = false;
  return (text) => {
    try {
      const shown: unknown = mask(text);
      if (typeof shown === "string") return shown;
      throw new TypeError(`it returned ${typeof shown}, and not a text`);
    } catch (error) {
      if (!hasWarned) emitWarning("OJM_UI", `mask of the UI failed: ${String(error)}`);
      hasWarned = true;
      return "***";
    }
  };
}

/** The options of a UI, and those of its own server. */
const VIEW = [
  ...[
    "manager",
    "scheduler",
    "store",
    "address",
    "readOnly",
    "showResults",
    "mask",
    "metrics",
    "reasons",
    "hosts",
    "trustProxy",
  ],
  ...["basePath", "authorize"],
];
const SERVE = ["port", "host", "viewer", "users", "secret"];

/** A host name without a scheme, a port or a `*`: wildcards are not supported. */
const HOST = /^[^\s/:*]+$/;

/** @throws TypeError. A misspelt `readOnly` must not create a UI that allows every action. */
export function check(options: ViewOptions, whose: "openUi" | "openUiServer"): void {
  const known = whose === "openUiServer" ? [...VIEW, ...SERVE] : VIEW;
  const problem = unknownOption(whose, options, known) ?? wrongIn(options);
  if (problem !== undefined) throw new TypeError(problem);
}

function wrongIn({ manager, basePath, hosts, mask, metrics, reasons }: ViewOptions): string | undefined {
  if (manager === undefined) return "the UI needs a manager: that of openJobManager()";
  if (basePath !== undefined && plain(basePath) === undefined)
    return `basePath is a path such as "/a/b", of letters, digits and -._~, not ${JSON.stringify(basePath)}`;
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.every((host) => HOST.test(host))))
    return 'hosts is a list of names without a scheme, a port and a "*", such as ["ops.example.com"]';
  if (mask !== undefined && typeof mask !== "function") return "mask is a function from text to text";
  if (metrics !== undefined && typeof metrics !== "function")
    return "metrics is a function that returns their text, such as openPrometheus({ manager }).text of @ojm/otel/prometheus";
  if (reasons !== undefined && typeof reasons !== "function")
    return "reasons is a function that resolves to a list of what keeps a job from running";
  return undefined;
}
