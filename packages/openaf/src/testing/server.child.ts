import { createServer, type IncomingMessage } from "node:http";

/** A server for the tests of requests, in its own process. It answers with the request that it received. */
const server = createServer(async (request, response) => {
  const { method, headers, url = "" } = request;
  const body = await bodyOf(request);
  const status = Number(/^\/status\/(\d+)/.exec(url)?.[1] ?? 200);
  if (url.startsWith("/never")) return;
  if (url.startsWith("/moved")) {
    response.writeHead(302, { location: "/there" }).end();
    return;
  }
  if (url.startsWith("/text")) {
    response.writeHead(status, { "content-type": "text/plain" }).end("plain text");
    return;
  }
  const { authorization, accept, range, "content-type": type, "x-own": own } = headers;
  response.writeHead(status, { "content-type": "application/json", "x-answer": "yes" });
  response.end(JSON.stringify({ method, url, body, authorization, accept, range, type, own }));
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.send?.(address.port);
});
process.on("disconnect", () => process.exit());
