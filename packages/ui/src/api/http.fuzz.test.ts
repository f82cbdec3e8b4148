import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openQueues } from "@ojm/queue";
import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { expect, vi } from "vitest";
import type { Endpoint } from "../contract/endpoint.js";
import { answerErrors, typeErrors } from "../testing/contract.js";
import { type RawRequest, type RawResponse, sendRaw } from "../testing/raw-http.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";
import type { Viewer } from "../types.js";
import { endpoints } from "./endpoints.js";

/*
 * Requests of every kind to the API and the pages, over the network, with a store that has runs, schedules,
 * locks and holds. The server answers each of them, never with a fault of its own, and errors are always JSON
 * as the contract has it.
 */

/** Stands for the id of a run in inputs: it contains the time at which the run began. */
const RUN = "<run>";

const NAMES = ["job", "paused", "held", "open", "none"];

const ODD_TEXTS = [
  "",
  " ",
  "0",
  "-1",
  "1e999",
  "8640000000000001",
  "9007199254740991",
  "99999999999999999999",
  "NaN",
  "null",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "a/b",
  "a\u0000b",
  "a\r\nSet-Cookie: x=1",
  "\u001b[2J",
  "\ud83d\udca5",
  "\ud800",
  "x".repeat(3_000),
  `${RUN}x`,
  "job@2026-01-01T00:00:00.000Z",
  "job@+275760-09-13T00:00:00.001Z",
  "@",
  "completed,failed",
];

const oddText = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ maxLength: 10 }),
  fc.string({ unit: "binary", maxLength: 5 }),
);
const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: oddText });
const id = fc.oneof({ weight: 3, arbitrary: fc.constant(RUN) }, { weight: 1, arbitrary: oddText });
const instant = fc.oneof(
  fc.constantFrom(0, 1, 8_640_000_000_000_000, 8_640_000_000_000_001, Number.MAX_SAFE_INTEGER),
  fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
);

/** Percent-encodes a text; one that has no encoding stays as it is, byte by byte. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return "%ED%A0%80";
  }
}

/** Each character becomes a byte. */
const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

/** The query of an endpoint: some of its parameters, and some that it does not have. */
function queryOf({ query = {} }: Endpoint): fc.Arbitrary<string> {
  const known = fc.constantFrom(...Object.keys(query), "limit", "x");
  const value = fc.oneof(oddText, id, name, instant.map(String), fc.nat(2_000).map(String));
  return fc
    .array(fc.tuple(known, value), { maxLength: 3 })
    .map((pairs) => pairs.map(([key, text]) => `${key}=${encoded(text)}`).join("&"));
}

const act = fc.record(
  {
    reason: fc.oneof({ weight: 5, arbitrary: fc.constant("a test") }, { weight: 1, arbitrary: oddText }),
    until: instant,
    from: instant,
    to: instant,
    again: fc.boolean(),
    dryRun: fc.boolean(),
    args: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 }),
  },
  { requiredKeys: ["reason"] },
);
const body = fc.oneof(
  { weight: 6, arbitrary: act.map((it) => JSON.stringify(it)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(act, fc.constantFrom("until", "args", "x"), fc.jsonValue({ maxDepth: 2 }))
      .map(([it, field, value]) => JSON.stringify({ ...it, [field]: value })),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: oddText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "[".repeat(15_000),
      `{"reason":"${"x".repeat(20_000)}"}`,
      '{"reason":"a","__proto__":{}}',
    ),
  },
);

/** Headers that programs and proxies send. */
const header = fc.tuple(
  fc.constantFrom(
    ...["Accept", "Accept-Encoding", "Authorization", "Content-Type", "Cookie", "Forwarded", "If-None-Match"],
    ...["Last-Event-ID", "Origin", "Range", "Sec-Fetch-Site", "Upgrade", "Via", "X-Forwarded-For", "X-Forwarded-Host"],
    ...["X-Forwarded-Prefix", "X-HTTP-Method-Override", "X-Role", "Host"],
  ),
  fc.oneof(
    fc.constantFrom(
      ...["gzip", "*", "text/plain", "application/json", "same-origin", "cross-site", "none", "localhost"],
    ),
    fc.constantFrom("bytes=0-1", "websocket", "operate", "127.0.0.1", "http://localhost:7717", "1-1", "a=b; c"),
    fc.string({ unit: fc.constantFrom(..." ,;=\"'/\\%:-0aé\u0000\t"), maxLength: 12 }),
  ),
);
const usual = [
  ["Host", "localhost"],
  ["X-Role", "admin"],
  ["Sec-Fetch-Site", "same-origin"],
] as const;
const headers: fc.Arbitrary<[string, string][]> = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: fc.constant([...usual]) }, { weight: 1, arbitrary: fc.subarray([...usual]) }),
    fc.array(header, { maxLength: 2 }),
  )
  .map(([some, more]) =>
    [...some, ["Content-Type", "application/json"], ...more].map(([key = "", value = ""]) => [key, latin1(value)]),
  );

const method = fc.constantFrom("GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS", "CONNECT", "get", "X");

/** A request of an endpoint that is right, or nearly so. */
const request: fc.Arbitrary<RawRequest> = fc.constantFrom(...endpoints).chain((endpoint) =>
  fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant(endpoint.method as string) },
      { weight: 1, arbitrary: method },
    ),
    target: fc
      .tuple(name, id, queryOf(endpoint))
      .map(([job, run, query]) => `${pathOf(endpoint, encoded(job), encoded(run))}${query === "" ? "" : `?${query}`}`),
    headers,
    body: endpoint.method === "GET" ? fc.constant("") : body.map(latin1),
  }),
);

/** A page with a query, and anything in the place of a path. */
const target = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "/",
        "/jobs",
        "/jobs/job",
        "/jobs/job/why",
        "/runs",
        "/audit",
        "/timeline",
        "/locks",
        "/queues",
        "/queues/job",
      ),
      name,
      oddText,
    )
    .map(([path, job, text]) => `${path}?q=${encoded(job)}&name=${encoded(text)}`),
  fc
    .tuple(fc.constantFrom("/runs/", "/jobs/", "/assets/", "/api/v1/", "/api/"), oddText)
    .map(([path, text]) => path + encoded(text)),
  fc.string({
    unit: fc.constantFrom(
      ..."/?#%.;:@\\[]*+&=~a\u0080\u00ff",
      ..."// /.. /api /v1 /jobs /runs %2e %2f %00 %zz %ff %E0%A4 http:// localhost ://".split(" "),
      "/healthz",
      "/readyz",
      "/metrics",
    ),
    minLength: 1,
    maxLength: 8,
  }),
);
const other: fc.Arbitrary<RawRequest> = fc.record({ method, target, headers, body: fc.constantFrom("", "{}") });

function pathOf({ path }: Endpoint, job: string, run: string): string {
  return path.replace(":name", () => job).replace(":id", () => run);
}

/** The viewer by the header `X-Role`. A role that does not exist would be a fault of this function. */
function authorize(request: Request): Viewer | undefined {
  const role = (["read", "operate", "admin"] as const).find((one) => one === request.headers.get("X-Role"));
  return role && { user: "ana", role };
}

/** Opens a UI with runs, schedules, locks and holds. */
async function openFilled(): Promise<TestUi & { readonly run: string }> {
  const it = await openTestUi({ showResults: true, authorize });
  await it.scheduler.add("job", { cron: "0 0 1 1 *" }, () => {});
  await it.scheduler.add("paused", { cron: "0 0 1 1 *", timeZone: "Europe/Lisbon" }, () => {});
  await it.scheduler.pause("paused", { reason: "holidays" });
  await it.manager.hold("held", { reason: "the schema changes" });
  await using queues = openQueues(it.manager);
  await queues.add("job", { to: "ana" });
  const { record } = await it.manager.run("job", ({ log }) => {
    log.info("a line");
    return { rows: 3 };
  });
  const untilSignal = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  const open = it.manager.run("open", ({ signal }) => untilSignal(signal));
  open.catch(() => {});
  await expect.poll(async () => (await it.manager.openRecords()).length).toBe(1);
  return Object.assign(it, { run: record.id });
}

/** The version of each entry that an action may change. A process constantly renews its session. */
async function versions({ manager }: TestUi): Promise<string[]> {
  const found: string[] = [];
  const others = ["oJobManager-schedules", "oJobManager-queues"].map((name) => manager.channel(name));
  for (const channel of [manager.channels.locks, ...(await Promise.all(others))])
    for await (const { key, version } of channel.keys())
      if (!/^\["?(session|sweep|member|turn)/.test(JSON.stringify(key)))
        found.push(`${JSON.stringify(key)} ${version}`);
  return found;
}

/** The endpoint that an API path belongs to. */
function endpointOf({ method, target }: RawRequest): Endpoint | undefined {
  const path = target.split("?", 1)[0] ?? "";
  return endpoints.find(
    (one) => one.method === method && new RegExp(`^${one.path.replace(/:\w+/g, "[^/]+")}$`).test(path),
  );
}

function judge(sent: RawRequest, { status, headers, body: text }: RawResponse, warnings: readonly string[]): void {
  expect(status, [text, ...warnings].join("\n")).toBeLessThan(500);
  // Node rejects what is not HTTP, before the UI gets it.
  if (headers.get("x-content-type-options") === undefined) {
    expect([400, 408, 413, 417, 431]).toContain(status);
    expect(text).toBe("");
    return;
  }
  if (sent.method === "HEAD") {
    expect(text).toBe("");
    return;
  }
  const isJson = headers.get("content-type") === "application/json";
  const isPage = headers.get("content-type")?.startsWith("text/html") === true;
  if (status >= 400 && !(status === 404 && isPage)) {
    expect(isJson).toBe(true);
    expect(typeErrors("ErrorBody", JSON.parse(text))).toEqual([]);
    return;
  }
  const endpoint = endpointOf(sent);
  if (endpoint === undefined || status !== 200 || !isJson) return;
  expect(answerErrors(endpoint, JSON.parse(text))).toEqual([]);
}

fuzz({
  name: "http",
  inputs: fc.oneof({ weight: 3, arbitrary: request }, { weight: 1, arbitrary: other }),
  check: async (input) => {
    const warnings: string[] = [];
    const spy = vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
    await using it = await openFilled();
    const server = createServer(it.ui.listener);
    try {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const sent: RawRequest = { ...input, target: input.target.replaceAll(encoded(RUN), encoded(it.run)) };
      const before = await versions(it);
      const response = await sendRaw(port, sent);
      // A request that is rejected as wrong has no effect.
      if (response?.status === 400) expect(await versions(it)).toEqual(before);
      // Node closes a connection that asks for a tunnel.
      if (response === undefined) expect(input.method).toBe("CONNECT");
      else judge(sent, response, warnings);
      const health = { method: "GET", target: "/healthz", headers: [["Host", "localhost"]], body: "" } as const;
      expect((await sendRaw(port, health))?.body).toBe("ok\n");
      expect(warnings).toEqual([]);
    } finally {
      spy.mockRestore();
      server.closeAllConnections();
      server.close();
    }
  },
  runs: { some: 60, many: 1_500 },
});
