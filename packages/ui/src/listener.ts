import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { RequestSource, Ui } from "./types.js";

/** What frameworks add to a request: the URL before they removed a prefix, and a body that they read. */
interface Handled extends IncomingMessage {
  readonly originalUrl?: string;
  readonly body?: unknown;
  rawBody?: unknown;
}

/** The requests of Node behind those that `authorize` gets. */
const incoming: WeakMap<Request, IncomingMessage> = new WeakMap();

/**
 * The request of Node, Express or Koa behind the one that `authorize` gets, with what earlier middleware has
 * put on it. `undefined` if the UI was called by `fetch`.
 */
export function incomingOf(request: Request): IncomingMessage | undefined {
  return incoming.get(request);
}

/** A listener for `node:http`, Express, Koa and Fastify. */
export function listenerOf(answer: (request: Request, from: RequestSource) => Promise<Response>): Ui["listener"] {
  const listener = getRequestListener(
    (request, env) => {
      const handled = (env as { readonly incoming: Handled }).incoming;
      incoming.set(request, handled);
      return answer(request, sourceOf(handled));
    },
    { overrideGlobalObjects: false },
  );
  return (request, response) => {
    const handled: Handled = request;
    // A body parser in front has read the stream to its end: reading it again would never end.
    if (handled.body !== undefined && request.readableEnded && !Buffer.isBuffer(handled.rawBody)) {
      handled.rawBody = Buffer.from(typeof handled.body === "string" ? handled.body : JSON.stringify(handled.body));
    }
    void listener(request, response as ServerResponse);
  };
}

function sourceOf({ socket, url = "/", originalUrl }: Handled): RequestSource {
  const address = socket?.remoteAddress;
  const prefix = originalUrl === undefined ? "" : prefixOf(pathOf(originalUrl), pathOf(url));
  return { ...(address !== undefined && { address }), ...(prefix !== "" && { prefix }) };
}

/** The prefix that was removed from a path. */
function prefixOf(whole: string, rest: string): string {
  if (whole.endsWith(rest)) return whole.slice(0, whole.length - rest.length);
  return rest === "/" ? whole : "";
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
