import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { describe, expect, test, vi } from "vitest";
import type { Audit, Me, Runs } from "./contract/types.js";
import { openUi } from "./create-ui.js";
import { incomingOf } from "./listener.js";
import { type Mounted, mounts, proxy } from "./testing/mounts.js";
import type { UiOptions } from "./types.js";

/** Frameworks whose routers remove the prefix and report it. */
const TELLS: readonly string[] = ["Express"];

async function withUi(
  options: Partial<UiOptions>,
  mount: (ui: ReturnType<typeof openUi>) => Promise<Mounted[]>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  await using manager = await openJobManager({ heartbeatThread: false, clock: { ...systemClock } });
  for (let i = 0; i < 20; i++) await manager.run(`job ${i}`, () => {});
  const ui = openUi({ manager, authorize: () => ({ user: "ana", role: "operate" }), ...options });
  const servers = await mount(ui);
  try {
    await use(servers.at(-1)?.url ?? "");
  } finally {
    await ui.close();
    for (const server of servers.reverse()) await server.close();
  }
}

const PATIENCE = { timeout: 60_000, interval: 50 };

/**
 * Checks a GET, a long one, an action with a body, a stream, and the page with its base path, all below a
 * URL.
 */
async function works(url: string, base: string): Promise<void> {
  const origin = new URL(url).origin;
  const me = await fetch(`${url}/api/v1/me`);
  expect([me.status, ((await me.json()) as Me).user]).toEqual([200, "ana"]);
  const runs = await fetch(`${url}/api/v1/runs`);
  expect(runs.headers.get("Content-Encoding")).toBe("gzip");
  expect(((await runs.json()) as Runs).runs.length).toBe(20);
  const act = await fetch(`${url}/api/v1/jobs/a%2Fb/hold`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: origin },
    body: JSON.stringify({ reason: "a test" }),
  });
  expect([act.status, await act.text()]).toEqual([200, expect.stringContaining('\\"a/b\\" is held')]);
  const audit = (await (await fetch(`${url}/api/v1/audit`)).json()) as Audit;
  expect(audit.entries[0]?.author).toContain("127.0.0.1");
  const controller = new AbortController();
  const stream = await fetch(`${url}/api/v1/events`, { signal: controller.signal });
  let text = "";
  for await (const chunk of stream.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("event: hello")) break;
  }
  controller.abort();
  for (const page of ["/", "/jobs/a%2Fb", "/runs/a@2026-11-25T02:00:00.000Z?x=1"]) {
    const answer = await vi.waitFor(async () => {
      const found = await fetch(`${url}${page}`);
      // A page whose answers take too long comes without them.
      if (found.status === 200) expect(await found.clone().text()).toMatch(/id="first">.*"user":"ana"/);
      return found;
    }, PATIENCE);
    // Without a build there are no pages, but the answer still comes from the UI.
    expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'self'");
    if (answer.status === 200) expect(await answer.text()).toContain(`<base href="${base}">`);
  }
}

describe.each(Object.entries(mounts))("in %s", (name, mount) => {
  test("a UI works at the root", async () => {
    await withUi(
      {},
      async (ui) => [await mount(ui, "")],
      (url) => works(url, "/"),
    );
  });

  test("a UI works below /a/b", async () => {
    const options = TELLS.includes(name) ? {} : { basePath: "/a/b" };
    await withUi(
      options,
      async (ui) => [await mount(ui, "/a/b")],
      (url) => works(`${url}/a/b`, "/a/b/"),
    );
  });

  test.each([
    { strips: true, how: "takes the path off" },
    { strips: false, how: "leaves the path as it is" },
  ])("a UI works below /a/b behind a proxy that $how", async ({ strips }) => {
    const mountBehind = async (ui: ReturnType<typeof openUi>): Promise<Mounted[]> => {
      const server = await mount(ui, strips ? "" : "/a/b");
      return [server, await proxy(server.url, { strips })];
    };
    const options = strips || !TELLS.includes(name) ? { basePath: "/a/b" } : {};
    await withUi(options, mountBehind, (url) => works(`${url}/a/b`, "/a/b/"));
  });
});

test("authorize finds what earlier middleware has put on the request of Node", async () => {
  const users: unknown[] = [];
  const authorize: UiOptions["authorize"] = (request) => {
    users.push((incomingOf(request) as { user?: string } | undefined)?.user);
    return { user: "ana", role: "read" };
  };
  const mount = async (ui: ReturnType<typeof openUi>): Promise<Mounted[]> => {
    const server = createServer((request, response) => ui.listener(Object.assign(request, { user: "bob" }), response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const close = async (): Promise<void> => void server.close();
    return [{ url: `http://127.0.0.1:${port}`, close }];
  };
  await withUi({ authorize }, mount, async (url) => {
    expect((await fetch(`${url}/api/v1/me`)).status).toBe(200);
  });
  expect(users).toEqual(["bob"]);
  expect(incomingOf(new Request("http://localhost/"))).toBeUndefined();
});

test("a trusted proxy sends the base path by X-Forwarded-Prefix", async () => {
  await using manager = await openJobManager({ heartbeatThread: false, clock: { ...systemClock } });
  for (const [prefix, base] of [
    ["/x/y", "/x/y/"],
    ['/"><script>', "/"],
    ["//evil.example", "/"],
  ] as const) {
    const ui = openUi({ manager, authorize: () => undefined, trustProxy: true });
    const headers = { Host: "localhost", "X-Forwarded-Prefix": prefix };
    const answer = await ui.fetch(new Request("http://localhost/", { headers }));
    if (answer.status === 200) expect(await answer.text()).toContain(`<base href="${base}">`);
    await ui.close();
  }
});
