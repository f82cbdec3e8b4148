import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";

/** The network traffic of the first load of a page. */
export interface Weight {
  readonly requests: number;
  /** All answers, compressed by gzip: one server compresses by itself, another leaves it to a proxy. */
  readonly bytes: number;
  /** Requests to other hosts, which are not in the numbers above. */
  readonly foreign: number;
}

/** The first load of a page is over if it sends no request for this long, in ms. */
const QUIET = 1_500;

/**
 * Loads a page once through a proxy that weighs each answer. The browser does not report the requests of its
 * workers, but a proxy sees them.
 */
export async function weigh(browser: Browser, target: string, path: string, selector: string): Promise<Weight> {
  const answers: Buffer[][] = [];
  let last = performance.now();
  const server = createServer((asked, answer) => {
    last = performance.now();
    const body: Buffer[] = [];
    answers.push(body);
    forward(target, asked, answer, (chunk) => {
      body.push(chunk);
      last = performance.now();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const context = await browser.newContext();
  let foreign = 0;
  try {
    const page = await context.newPage();
    page.on("request", (one) => {
      if (new URL(one.url()).port !== String(port)) foreign++;
    });
    await page.goto(new URL(path, `http://127.0.0.1:${port}/`).href);
    await page.locator(selector).first().waitFor();
    while (performance.now() < last + QUIET) await sleep(100);
  } finally {
    await context.close();
    await close(server);
  }
  const bytes = answers.reduce((sum, body) => sum + gzipSync(Buffer.concat(body), { level: 9 }).length, 0);
  return { requests: answers.length, bytes, foreign };
}

/** Requests an uncompressed answer from the target, and passes it on. */
function forward(
  target: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  passed: (chunk: Buffer) => void,
): void {
  const url = new URL(asked.url ?? "/", target);
  const headers = { ...asked.headers, host: url.host, "accept-encoding": "identity" };
  const forwarded = request(url, { method: asked.method, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.on("data", passed).pipe(answer);
    response.on("error", () => answer.destroy());
  });
  forwarded.on("error", () => answer.destroy());
  answer.on("close", () => forwarded.destroy());
  asked.pipe(forwarded);
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
