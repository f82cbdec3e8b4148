import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { RequestSource, Ui } from "./types.js";

/** What frameworks add to a request: the URL before they removed a prefix, and a body that they read. */
interface Handled extends IncomingMessage {
  readonly originalUrl?: string;
  readonly body?: unknown;
  rawBody?: unknown;
}

/** A listener for `node:http`, Express, Koa and Fastify. */
export function listenerOf(answer: (request: Request, from: RequestSource) => Promise<Response>): Ui["listener"] {
  const listener = getRequestListener(
    (request, env) => answer(request, sourceOf((env as { readonly incoming: Handled }).incoming)),
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
