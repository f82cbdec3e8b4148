import { openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { expect, test } from "vitest";
import { openUiServer } from "../serve-ui.js";
import { eventsOf, type Received } from "../testing/events.js";
import type { UiServer } from "../types.js";

/** How often the server restarts while it is watched. */
const TIMES = 20;

/** A client that acts like a page: it reconnects with the id of the last event, and keeps what it knows. */
class Client {
  readonly lines: number[] = [];
  readonly runs: Set<string> = new Set();
  readonly changed: Set<string> = new Set();
  resets = 0;
  hellos = 0;
  isEnded = false;
  #last: string | undefined;

  async follow(url: string, cookie: string, log: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const headers = { Cookie: cookie, ...(this.#last !== undefined && { "Last-Event-ID": this.#last }) };
      try {
        const response = await fetch(`${url}/api/v1/events?log=${log}`, { headers, signal });
        for await (const event of eventsOf(response)) this.#see(event);
      } catch {
        // The server is away: try again at once, more often than a browser does.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #see({ id, event, data }: Received): void {
    this.#last = id;
    if (event === "hello") this.hellos++;
    if (event === "reset") this.resets++;
    if (event === "changed") for (const name of data.names) this.changed.add(name);
    if (event === "log") {
      this.lines.push(...data.items.flatMap((item) => ("line" in item ? [item.line] : [])));
      if (data.ended === true) this.isEnded = true;
    }
    if (event !== "running") return;
    if (data.all === true) this.runs.clear();
    for (const run of data.gone) this.runs.delete(run);
    for (const run of data.put) this.runs.add(run.id);
  }
}

test(`a server that ends ${TIMES} times while it is watched loses no line, and sends none twice`, async () => {
  await using manager = await openJobManager({ heartbeatThread: false, clock: { ...systemClock } });
  const options = { manager, secret: "a secret of a test" };
  let served: UiServer = await openUiServer(options);
  const { port } = served;
  const url = `http://127.0.0.1:${port}`;
  const login = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: url },
    body: JSON.stringify({ token: new URL(served.url).hash.replace("#token=", "") }),
  });
  const cookie = login.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const run = await manager.start("watched");
  const client = new Client();
  const over = new AbortController();
  const following = client.follow(url, cookie, encodeURIComponent(run.id), over.signal);
  let line = 0;
  for (let i = 0; i < TIMES; i++) {
    run.log.info(`line ${++line}`);
    await expect.poll(() => client.lines.at(-1)).toBe(line);
    await served.close();
    run.log.info(`line ${++line}`);
    const hellos = client.hellos;
    served = await openUiServer({ ...options, port });
    await expect.poll(() => client.hellos).toBeGreaterThan(hellos);
    await expect.poll(() => [...client.runs]).toEqual([run.id]);
  }
  await run.end();
  await expect.poll(() => [client.isEnded, client.runs.size]).toEqual([true, 0]);
  expect(client.lines).toEqual(Array.from({ length: line }, (_, i) => i + 1));
  expect(client.resets).toBe(TIMES);
  over.abort();
  await following;
  await served.close();
});
