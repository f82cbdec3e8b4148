import { systemClock } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { describe, expect, test, vi } from "vitest";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { Pages } from "../static/pages.js";
import { openCockpit, type Sending, type TestCockpit } from "../testing/cockpit.js";

const PATIENCE = { timeout: 60_000, interval: 1 };

/** What came with a page, by its path; `undefined` if the page has no such block. */
async function firstOf(response: Response): Promise<Readonly<Record<string, unknown>> | undefined> {
  const [, data] = /<script type="application\/json" id="first">(.*?)<\/script>/s.exec(await response.text()) ?? [];
  return data === undefined ? undefined : (JSON.parse(data) as Readonly<Record<string, unknown>>);
}

const first = async (it: TestCockpit, path: string, sending?: Sending): ReturnType<typeof firstOf> =>
  firstOf(await it.send("GET", path, sending));

/** The same, with answers to these paths: a page whose answers take too long comes without them. */
const firstWith = (it: TestCockpit, page: string, ...paths: readonly string[]): Promise<Record<string, unknown>> =>
  vi.waitFor(async () => {
    const answers = await first(it, page);
    expect(Object.keys(answers ?? {}).sort(), page).toEqual(["me", ...paths].sort());
    return answers ?? {};
  }, PATIENCE);

describe("a page brings its first answers", () => {
  test("which are those of the API", async () => {
    await using it = await openCockpit();
    await it.scheduler.add("a job", { cron: "0 0 1 1 *" }, () => {});
    const { id } = (await it.manager.run("a job", ({ log }) => log.info("a line"))).record;
    const [name, run] = [encodeURIComponent("a job"), encodeURIComponent(id)];
    for (const [page, ...paths] of [
      ["/", "now"],
      ["/jobs", "jobs?limit=100"],
      ["/jobs?q=a+job", "jobs?limit=100&q=a+job"],
      [`/jobs/${name}`, `jobs/${name}`],
      [`/jobs/${name}/why`, `jobs/${name}/why`],
      ["/runs", "runs?limit=50"],
      ["/runs?status=failed&name=a%20job", "runs?limit=50&name=a+job&status=failed"],
      [`/runs/${run}`, `runs/${run}`, `runs/${run}/log?tail=400`],
      // As somebody may write it by hand.
      [`/runs/${id.replaceAll(" ", "%20")}`, `runs/${run}`, `runs/${run}/log?tail=400`],
      ["/locks", "locks"],
      ["/audit?name=a+job", "audit?limit=100&name=a+job"],
    ] as const) {
      const answers = await firstWith(it, page, ...paths);
      for (const path of paths) {
        const shape = Object.keys(await it.get<object>(`/api/v1/${path}`)).sort();
        expect(Object.keys(answers[path] as object).sort(), path).toEqual(shape);
      }
    }
    const log = `runs/${run}/log?tail=400`;
    const answers = await firstWith(it, `/runs/${run}`, `runs/${run}`, log);
    expect(answers[log]).toEqual(await it.get(`/api/v1/${log}`));
  });

  test("but not where the page narrows a list down by more, nor where there is no such thing", async () => {
    await using it = await openCockpit();
    for (const page of ["/runs?range=7d", "/timeline", "/no/such/page", "/jobs/a/b/c"])
      expect(await first(it, page), page).toBeUndefined();
    for (const page of ["/jobs/none", "/runs/100%"]) await firstWith(it, page);
  });

  test("and is kept by no cache then", async () => {
    await using it = await openCockpit();
    const [full, bare] = [await it.send("GET", "/"), await it.send("GET", "/", { role: "none" })];
    expect([full.headers.get("Cache-Control"), full.headers.get("ETag")]).toEqual(["no-store", null]);
    expect([bare.headers.get("Cache-Control"), bare.headers.get("ETag")]).toEqual(["no-cache", expect.any(String)]);
  });

  test("in a block that no text in them can end", async () => {
    await using it = await openCockpit();
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

describe("nothing comes with a page", () => {
  test.each([
    ["nobody", { role: "none" }],
    ["a link from another site", { headers: { "Sec-Fetch-Site": "cross-site" } }],
    ["a page of another host of the same site", { headers: { "Sec-Fetch-Site": "same-site" } }],
  ] as const)("for %s", async (_, sending) => {
    await using it = await openCockpit();
    const response = await it.send("GET", "/", sending);
    expect(response.status).toBe(200);
    expect(await firstOf(response)).toBeUndefined();
  });

  test("if authorize() throws: the page is there, and its program tells why it shows nothing", async () => {
    await using it = await openCockpit({ authorize: () => Promise.reject(new Error("no such session")) });
    const response = await it.send("GET", "/");
    expect(response.status).toBe(200);
    expect(await firstOf(response)).toBeUndefined();
  });

  test("of a store that does not answer, and the page does not wait for it", async () => {
    const clock = { ...systemClock };
    const way = new FaultyBackend(await simple.open({}, { clock }), clock, {});
    const channel = { backend: way };
    await using it = await openCockpit({ channels: { chJobs: channel, chLocks: channel, clock } });
    for (const type of ["refused", "request lost"] as const) {
      way.fault = () => ({ type });
      await firstWith(it, "/runs");
    }
    way.fault = () => undefined;
  });
});

test("authorize() is asked once for a page, with the request itself", async () => {
  const authorize = vi.fn(() => ({ user: "ana", role: "read" }) as const);
  await using it = await openCockpit({ authorize });
  const request = new Request("http://localhost:7717/", { headers: { Host: "localhost:7717" } });
  expect(await firstOf(await it.ui.fetch(request))).toBeDefined();
  expect(authorize.mock.calls).toEqual([[request]]);
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
