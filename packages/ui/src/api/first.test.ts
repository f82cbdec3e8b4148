import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Run } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { backend as simple } from "@ojm/simple";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { Pages } from "../static/pages.js";
import { openTestUi, type Sending, type TestUi } from "../testing/test-ui.js";
import type { UiOptions } from "../types.js";

const PATIENCE = { timeout: 60_000, interval: 1 };

/** Answers that change by themselves: with the time, and when the scheduler becomes visible. */
const MOVES = /^(?:now|locks|jobs)/;

/** The answers that came with a page, by path; `undefined` if the page has no such block. */
async function firstOf(response: Response): Promise<Readonly<Record<string, unknown>> | undefined> {
  const [, data] = /<script type="application\/json" id="first">(.*?)<\/script>/s.exec(await response.text()) ?? [];
  return data === undefined ? undefined : (JSON.parse(data) as Readonly<Record<string, unknown>>);
}

const first = async (it: TestUi, path: string, sending?: Sending): ReturnType<typeof firstOf> =>
  firstOf(await it.send("GET", path, sending));

/**
 * The same once the page has answers to these paths: a page whose answers take too long comes without them.
 */
const firstWith = (it: TestUi, page: string, ...paths: readonly string[]): Promise<Record<string, unknown>> =>
  vi.waitFor(async () => {
    const answers = await first(it, page);
    expect(Object.keys(answers ?? {}).sort(), page).toEqual(["me", ...paths].sort());
    return answers ?? {};
  }, PATIENCE);

describe("a page brings its first answers", () => {
  test("which are those of the API", async () => {
    await using it = await openTestUi();
    await it.scheduler.add("a job", { cron: "0 0 1 1 *" }, () => {});
    await it.manager.run("another", () => {});
    // More lines than requested: a request that lost its query would get another answer.
    const body = ({ log }: Run): void => {
      for (let line = 1; line <= 500; line++) log.info(`line ${line}`);
    };
    const { id } = (await it.manager.run("a job", body)).record;
    const [name, run] = [encodeURIComponent("a job"), encodeURIComponent(id)];
    for (const [page, ...paths] of [
      ["/", "now"],
      ["/jobs", "jobs?limit=100"],
      ["/jobs?q=a+job", "jobs?limit=100&q=a+job"],
      [`/jobs/${name}`, `jobs/${name}`],
      [`/jobs/${name}/why`, `jobs/${name}/why`],
      ["/runs", "runs?limit=50"],
      ["/runs?status=failed&name=a%20job", "runs?limit=50&name=a+job&status=failed"],
      ["/runs?q=job", "runs?limit=50&q=job"],
      [`/runs/${run}`, `runs/${run}`, `runs/${run}/log?tail=400`],
      // An address as a user may type it.
      [`/runs/${id.replaceAll(" ", "%20")}`, `runs/${run}`, `runs/${run}/log?tail=400`],
      ["/locks", "locks"],
      ["/audit?name=a+job", "audit?limit=100&name=a+job"],
    ] as const) {
      const answers = await firstWith(it, page, ...paths);
      for (const path of paths.filter((path) => !MOVES.test(path))) {
        expect(answers[path], path).toEqual(await it.get(`/api/v1/${path}`));
      }
    }
  });

  test("but not where the page narrows a list down by more, nor where the subject does not exist", async () => {
    await using it = await openTestUi();
    for (const page of ["/runs?range=7d", "/timeline", "/no/such/page", "/jobs/a/b/c"])
      expect(await first(it, page), page).toBeUndefined();
    for (const page of ["/jobs/none", "/runs/100%"]) await firstWith(it, page);
  });

  test("and no cache stores it then", async () => {
    await using it = await openTestUi();
    const [full, bare] = [await it.send("GET", "/"), await it.send("GET", "/timeline")];
    expect([full.headers.get("Cache-Control"), full.headers.get("ETag")]).toEqual(["no-store", null]);
    expect([bare.headers.get("Cache-Control"), bare.headers.get("ETag")]).toEqual(["no-cache", expect.any(String)]);
  });

  test("in a block that no text in them can end", async () => {
    await using it = await openTestUi();
    const hostile = "</script><script>alert(1)</script><!-- <script> ]]> \u2028 $& $1";
    const { id } = (await it.manager.run("</script>", ({ log }) => log.info(hostile))).record;
    const path = `runs/${encodeURIComponent(id)}`;
    await vi.waitFor(async () => {
      const html = await (await it.send("GET", `/${path}`)).text();
      const after = html.slice(html.indexOf('id="first">') + 'id="first">'.length);
      const data = after.slice(0, after.indexOf("<"));
      expect(after.slice(data.length)).toMatch(/^<\/script>\s*<\/body>\s*<\/html>\s*$/);
      expect(JSON.parse(data)[`${path}/log?tail=400`].items[0].text).toBe(hostile);
    }, PATIENCE);
  });
});

/** Never answers. */
const silent = (): Promise<never> => new Promise<never>(() => {});

const ODD: readonly (readonly [string, UiOptions["authorize"]])[] = [
  ["nobody asks", () => undefined],
  ["authorize() throws", () => Promise.reject(new Error("no such session"))],
  ["authorize() does not answer", silent],
];

describe("nothing comes with a page", () => {
  test.each(["cross-site", "same-site"])("to which a page of another site led: %s", async (site) => {
    const authorize = vi.fn(() => undefined);
    await using it = await openTestUi({ authorize });
    const response = await it.send("GET", "/", { headers: { "Sec-Fetch-Site": site } });
    expect(response.status).toBe(200);
    expect(await firstOf(response)).toBeUndefined();
    expect(authorize).not.toHaveBeenCalled();
  });

  test.each(ODD)("if %s: its program says why it shows nothing", async (_, authorize) => {
    await using it = await openTestUi({ authorize });
    const response = await it.send("GET", "/");
    expect(response.status).toBe(200);
    expect(await firstOf(response)).toEqual({});
  });

  test("of a store that is away", async () => {
    const clock = { ...systemClock };
    const way = new FaultyBackend(await simple.open({}, { clock }), clock, {});
    const channel = { backend: way };
    await using it = await openTestUi({ channels: { chJobs: channel, chLocks: channel, clock } });
    way.fault = () => ({ type: "refused" });
    await firstWith(it, "/runs");
    way.fault = () => undefined;
  });

  test("that takes too long: the rest comes", async () => {
    await using it = await openTestUi({ reasons: silent });
    await it.manager.run("a", () => {});
    await firstWith(it, "/jobs/a/why");
  });
});

test("authorize() is called once for a page, with the request itself", async () => {
  const authorize = vi.fn((_: Request) => ({ user: "ana", role: "read" }) as const);
  await using it = await openTestUi({ authorize });
  const request = new Request("http://localhost:7717/", { headers: { Host: "localhost:7717" } });
  expect(await firstOf(await it.ui.fetch(request))).toBeDefined();
  expect(authorize).toHaveBeenCalledTimes(1);
  expect(authorize.mock.calls[0]?.[0]).toBe(request);
});

test("who leaves before they came does no harm", async () => {
  await using it = await openTestUi({ authorize: silent });
  const server = createServer(it.ui.listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const encoding of ["identity", "gzip"]) {
    const left = get({ port, path: "/", headers: { "Accept-Encoding": encoding } });
    const [response] = (await once(left, "response")) as [IncomingMessage];
    await once(response, "data");
    left.destroy();
  }
  // Answers requested after them come last.
  const whole = await fetch(`http://127.0.0.1:${port}/`);
  expect(await firstOf(whole)).toEqual({});
});

test("the frame of a page does not wait for them", async () => {
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const pages = new Pages();
  for (const encoding of ["identity", "gzip"]) {
    const request = new Request("http://localhost/", { headers: { "Accept-Encoding": encoding } });
    const body = pages.answer(
      request,
      "/",
      "/",
      asked.then(() => ({})),
    ).body as ReadableStream<Uint8Array>;
    const reader = (encoding === "gzip" ? body.pipeThrough(new DecompressionStream("gzip")) : body).getReader();
    let frame = "";
    while (!frame.includes("</div>")) frame += Buffer.from((await reader.read()).value ?? []).toString();
    expect(frame).not.toContain("</body>");
    await reader.cancel();
  }
  answer();
});
