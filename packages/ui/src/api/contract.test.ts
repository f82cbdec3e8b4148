import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Endpoint } from "../contract/endpoint.js";
import { answerErrors, typeErrors } from "../testing/contract.js";
import { collected } from "../testing/events.js";
import { addDead, openTestUi, type TestUi } from "../testing/test-ui.js";
import { endpoints } from "./endpoints.js";

let it: TestUi;
let run: string;
let item: string;

/** Texts that must never be read as HTML, or end a line, a header or an event. */
const XSS = [
  `<img src=x onerror=alert(1)>`,
  `"><script>alert(1)</script>`,
  `'-alert(1)-'`,
  `javascript:alert(1)`,
  "a\r\nSet-Cookie: x=1\r\n\r\n<b>",
  "a\n\ndata: forged\n\n",
  "</script>\u2028\u202e\u0000",
] as const;

beforeAll(async () => {
  it = await openTestUi({ showResults: true });
  await it.scheduler.add("job", { cron: "0 * * * *", timeZone: "Europe/Lisbon" }, () => {});
  await it.scheduler.add("paused", { cron: "0 2 * * *", blackout: [{ from: 0, to: 1 }] }, () => {});
  await it.scheduler.pause("paused", { reason: "holidays", until: Date.now() + 3_600_000 });
  const body = (): Promise<void> => Promise.reject(new Error("no route"));
  await it.manager.run("job", body, { retry: { attempts: 2, delay: 1 }, meta: { customer: "x" } }).catch(() => {});
  const { record } = await it.manager.run("job", (running) => {
    running.log.warn("a line");
    running.progress(1, 2, "rows");
    return { rows: 3 };
  });
  run = record.id;
  await it.manager.hold("held", { reason: "the schema changes", author: "ana" });
  await it.manager.unlock("held", { reason: "done" });
  await it.manager.hold("held", { reason: "again" });
  [item = ""] = await addDead(it.manager, "job", ["no route", ...XSS]);
  const open = await it.manager.start("open", { trigger: "launch", args: { day: 1 }, meta: { a: 1 } });
  open.progress(3, 10, "rows");
  for (const text of XSS) {
    const fail = (): Promise<void> => Promise.reject(new Error(text));
    await it.manager.run(text, fail, { trigger: text }).catch(() => {});
    await it.manager.run(`ok ${text}`, ({ log }) => {
      log.info(text);
      return { [text]: text };
    });
    await it.manager.hold(`held ${text}`, { reason: text, author: text });
  }
});

afterAll(async () => {
  await it[Symbol.asyncDispose]();
});

const looks = endpoints.filter(({ method, answer }) => method === "GET" && typeof answer !== "string");

const pathOf = ({ path }: Endpoint): string =>
  path.replace(":name", "job").replace(":id", path.includes("/items/") ? item : encodeURIComponent(run));

describe("the answer is as the contract has it", () => {
  test.each(looks.map((endpoint) => [endpoint.path, endpoint] as const))("GET %s", async (_, endpoint) => {
    const body: unknown = await it.get(pathOf(endpoint));
    expect(answerErrors(endpoint, body)).toEqual([]);
  });

  test("each event of a stream", async () => {
    const response = await it.send("GET", `/api/v1/events?log=${encodeURIComponent(run)}`);
    const all = collected(response);
    await expect.poll(() => new Set(all.map(({ event }) => event)).size).toBe(3);
    await it.manager.run("another", () => {});
    await expect.poll(() => new Set(all.map(({ event }) => event)).size).toBe(4);
    for (const { event, data } of all) expect(typeErrors(`Events/properties/${event}`, data)).toEqual([]);
    await response.body?.cancel().catch(() => {});
  });

  test.each(endpoints.filter(({ method }) => method === "POST").map((one) => [one.path, one] as const))(
    "POST %s, and each error",
    async (_, endpoint) => {
      const body = { reason: "a test", dryRun: true, from: 0 };
      const answer: unknown = await (await it.send("POST", pathOf(endpoint), { body })).json();
      const isError = "error" in (answer as object);
      expect(isError ? typeErrors("ErrorBody", answer) : answerErrors(endpoint, answer)).toEqual([]);
      for (const refused of [
        await it.send("POST", pathOf(endpoint), { body: { x: 1 } }),
        await it.send("PUT", pathOf(endpoint)),
      ])
        expect(typeErrors("ErrorBody", await refused.json())).toEqual([]);
    },
  );
});

describe("what others wrote is never HTML", () => {
  test.each(XSS)("%j in names, errors, results and logs", async (text) => {
    const paths = [
      "/api/v1/now",
      "/api/v1/jobs?limit=100",
      `/api/v1/jobs/${encodeURIComponent(text)}`,
      `/api/v1/jobs/${encodeURIComponent(`none ${text}`)}`,
      `/api/v1/runs?limit=200&name=${encodeURIComponent(text)}`,
      `/api/v1/runs?name=${encodeURIComponent(text)}&status=${encodeURIComponent(text)}`,
      `/api/v1/runs/${encodeURIComponent(text)}`,
      "/api/v1/locks",
      `/api/v1/${encodeURIComponent(text)}`,
    ];
    for (const path of paths) {
      const response = await it.send("GET", path);
      expect(response.headers.get("Content-Type")).toBe("application/json");
      expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(response.headers.has("Set-Cookie")).toBe(false);
      JSON.parse(await response.text());
    }
    const { runs } = await it.get<{ runs: { id: string }[] }>(`/api/v1/runs?name=${encodeURIComponent(`ok ${text}`)}`);
    const id = encodeURIComponent(runs[0]?.id ?? "");
    const page = await it.get<{ run: { result: object } }>(`/api/v1/runs/${id}`);
    expect(page.run.result).toEqual({ [text]: text });
    const download = await it.send("GET", `/api/v1/runs/${id}/log.txt`);
    expect(download.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(download.headers.get("Content-Disposition")).toMatch(/^attachment; filename="[\w.@-]+\.log\.txt"$/);
    await download.text();
    const stream = await it.send("GET", `/api/v1/events?log=${id}`);
    const all = collected(stream);
    await expect.poll(() => all.some(({ event, data }) => event === "log" && data.ended === true)).toBe(true);
    for (const { event, data } of all) expect(typeErrors(`Events/properties/${event}`, data)).toEqual([]);
    await stream.body?.cancel().catch(() => {});
  });
});
