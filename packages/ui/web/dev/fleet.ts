import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { answerTo } from "./answers.js";
import { lineOf, runningNow } from "./made-up.js";

/** Answers the API with a made-up fleet, so that pages can be designed without a store. Not for tests. */
export function fleet(): Plugin {
  return {
    name: "ojm-fleet",
    configureServer: ({ middlewares }) => void middlewares.use(answer),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(answer),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (!url.pathname.startsWith("/api/v1/")) {
    next();
    return;
  }
  const parts = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  if (parts[0] === "events") {
    stream(response, url.searchParams.getAll("log"));
    return;
  }
  const body =
    request.method === "GET" ? answerTo(parts, url.searchParams) : { done: `${parts[2] ?? "done"}: ${parts[1] ?? ""}` };
  response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(body ?? { error: { code: "NOT_FOUND", message: `There is no ${url.pathname}.` } }));
}

function stream(response: ServerResponse, logs: readonly string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (event: string, data: unknown): void =>
    void response.write(`id: 1\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  send("hello", { epoch: "dev", at: Date.now() });
  send("running", { at: Date.now(), all: true, put: runningNow(Date.now()), gone: [] });
  const timer = setInterval(() => {
    const now = Date.now();
    send("running", { at: now, put: runningNow(now), gone: [] });
    for (const id of logs) {
      const startTime = Date.parse(id.slice(id.lastIndexOf("@") + 1));
      const line = Math.floor((now - startTime) / 500);
      send("log", { id, items: [lineOf(line - 1, startTime), lineOf(line, startTime)] });
    }
  }, 1_000);
  response.on("close", () => clearInterval(timer));
}
