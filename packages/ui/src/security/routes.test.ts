import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpoints } from "../api/endpoints.js";
import type { Endpoint } from "../contract/endpoint.js";
import { addDead, openTestUi, type Sending, type TestUi } from "../testing/test-ui.js";
import type { Role } from "../types.js";

let it: TestUi;
let run: string;
let item: string;

beforeAll(async () => {
  it = await openTestUi({ hosts: ["ops.example.com"] });
  await it.scheduler.add("job", { cron: "0 0 1 1 *" }, () => {});
  run = (await it.manager.run("job", ({ log }) => log.info("a line"))).record.id;
  [item = ""] = await addDead(it.manager, "job", ["no route"]);
});

afterAll(async () => {
  await it[Symbol.asyncDispose]();
});

/** One of the pages, one of the assets, and unknown paths. */
const PAGES = ["/", "/jobs/a", "/assets/none.js", "/none"] as const;

const BODY = { reason: "a test", dryRun: true, from: 0, to: 1 };

const pathOf = ({ path }: Endpoint): string =>
  path.replace(":name", "job").replace(":id", path.includes("/items/") ? item : encodeURIComponent(run));

const ask = (endpoint: Endpoint, more: Sending = {}): Promise<Response> => {
  const body = endpoint.id === "login" ? { token: "none" } : endpoint.body && BODY;
  return it.send(endpoint.method, pathOf(endpoint), { ...(body && { body }), ...more });
};

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error?: { code: string } }).error?.code;

const title = ({ method, path }: Endpoint): string => `${method} ${path}`;
const all = endpoints.map((endpoint) => [title(endpoint), endpoint] as const);
const changing = all.filter(([, { method }]) => method !== "GET");

test("the table has every endpoint once", () => {
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  expect(new Set(endpoints.map(({ id }) => id)).size).toBe(all.length);
});

describe("a foreign Host is rejected: DNS rebinding", () => {
  const HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "",
    "ops.example.com.evil.example",
    "a b",
  ];

  test.each(all)("%s", async (_, endpoint) => {
    for (const host of HOSTS) {
      const response = await ask(endpoint, { headers: { Host: host } });
      expect([host, response.status, await codeOf(response)]).toEqual([host, 403, "FORBIDDEN"]);
    }
    const own = await ask(endpoint, { headers: { Host: "OPS.example.com:8443" } });
    expect(own.status).not.toBe(403);
    await own.body?.cancel();
  });

  test.each(PAGES)("the page %s", async (path) => {
    for (const host of HOSTS) expect((await it.send("GET", path, { headers: { Host: host } })).status).toBe(403);
  });

  test("X-Forwarded-Host counts only with trustProxy", async () => {
    const headers = { "X-Forwarded-Host": "localhost", Host: "evil.example" };
    expect((await it.send("GET", "/api/v1/me", { headers })).status).toBe(403);
    await using trusting = await openTestUi({ trustProxy: true });
    expect((await trusting.send("GET", "/api/v1/me", { headers })).status).toBe(200);
    const forged = { "X-Forwarded-Host": "localhost, evil.example", Host: "localhost" };
    expect((await trusting.send("GET", "/api/v1/me", { headers: forged })).status).toBe(403);
  });
});

describe("a request from a page of another site is rejected", () => {
  test.each(all)("%s", async (_, endpoint) => {
    for (const site of ["cross-site", "same-site"]) {
      const response = await ask(endpoint, { headers: { "Sec-Fetch-Site": site } });
      expect([response.status, await codeOf(response)]).toEqual([403, "FORBIDDEN"]);
    }
  });

  test.each(changing)("%s needs the exact Origin, if the browser does not send the site", async (_, endpoint) => {
    const from = (Origin: string | undefined): Promise<Response> =>
      ask(endpoint, { headers: { "Sec-Fetch-Site": undefined, Origin } });
    for (const origin of [undefined, "null", "http://localhost:1", "https://localhost:7717", "http://evil.example"]) {
      expect([origin, (await from(origin)).status]).toEqual([origin, 403]);
    }
    expect((await from("http://localhost:7717")).status).not.toBe(403);
  });

  test.each(changing)("%s needs JSON, which a form cannot send", async (_, endpoint) => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", undefined]) {
      const response = await ask(endpoint, { headers: { "Content-Type": type } });
      expect([type, response.status, await codeOf(response)]).toEqual([type, 400, "INVALID"]);
    }
  });

  test("a link to a page works from everywhere", async () => {
    const response = await it.send("GET", "/jobs/a", { headers: { "Sec-Fetch-Site": "cross-site" } });
    expect(response.status).not.toBe(403);
  });
});

describe("each path takes its methods, and no other", () => {
  const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

  test.each([...new Set(endpoints.map(({ path }) => path))])("%s", async (path) => {
    const own = endpoints.filter((one) => one.path === path).map(({ method }): string => method);
    if (own.includes("GET")) own.push("HEAD");
    const [endpoint] = endpoints.filter((one) => one.path === path) as [Endpoint];
    for (const method of METHODS.filter((one) => !own.includes(one))) {
      const headers = { "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" };
      const response = await it.send(method, pathOf(endpoint), { headers });
      expect([method, response.status]).toEqual([method, 405]);
      expect(response.headers.get("Allow")).toBeTruthy();
    }
  });

  test.each(PAGES)("the page %s", async (path) => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect((await it.send(method, path)).status).toBe(405);
    }
  });
});

describe("each endpoint needs a viewer, and a role", () => {
  const RANK: readonly Role[] = ["read", "operate", "admin"];

  test.each(all.filter(([, { role }]) => role !== "none"))("%s", async (_, endpoint) => {
    const response = await ask(endpoint, { role: "none" });
    expect([response.status, await codeOf(response)]).toEqual([401, "UNAUTHORIZED"]);
    for (const role of RANK) {
      const answer = await ask(endpoint, { role });
      const isAllowed = RANK.indexOf(role) >= RANK.indexOf(endpoint.role as Role);
      expect([role, answer.status === 403]).toEqual([role, !isAllowed]);
      await answer.body?.cancel();
    }
  });

  test("a read-only UI rejects every action of all roles", async () => {
    await using readOnly = await openTestUi({ readOnly: true });
    for (const [, endpoint] of changing) {
      if (endpoint.role === "none" || endpoint.id === "logout") continue;
      const response = await readOnly.send(endpoint.method, pathOf(endpoint), { body: BODY, role: "admin" });
      expect([endpoint.id, response.status, await codeOf(response)]).toEqual([endpoint.id, 403, "DENIED"]);
    }
  });

  test("an answer of authorize that is not a viewer is a fault, and signs in no user", async () => {
    const answers: unknown[] = [{ user: "ana" }, { user: "", role: "admin" }, { user: "ana", role: "root" }, true];
    for (const answer of answers) {
      await using odd = await openTestUi({ authorize: () => answer as never });
      expect((await odd.send("GET", "/api/v1/me")).status).toBe(500);
    }
    await using failing = await openTestUi({ authorize: () => Promise.reject(new Error("the password is x")) });
    const response = await failing.send("GET", "/api/v1/me");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("password");
  });
});

describe("every answer has the headers that protect it", () => {
  const policy = "default-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";
  const check = ({ headers }: Response, styles = ""): void => {
    expect(headers.get("Content-Security-Policy")?.replace(/sha256-[\w+/]{43}=/, "HASH")).toBe(`${policy}${styles}`);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    for (const name of headers.keys()) expect(name).not.toMatch(/^access-control-/i);
  };

  test.each(all)("%s", async (_, endpoint) => {
    for (const more of [{}, { role: "none" as const }, { headers: { Host: "evil.example" } }]) {
      const response = await ask(endpoint, more);
      check(response);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
      await response.body?.cancel();
    }
  });

  test.each(PAGES)("the page %s", async (path) => {
    // The style of the first frame is in the page.
    check(await it.send("GET", path), path.startsWith("/assets/") ? "" : "; style-src 'self' 'HASH'");
    check(await it.send("PUT", path));
  });
});

test("a GET changes nothing in the store", async () => {
  const versions = async (): Promise<string[]> => {
    const all: string[] = [];
    const { jobs, locks } = it.manager.channels;
    for (const channel of [jobs, locks, await it.manager.channel("oJobManager-queues")]) {
      for await (const { key, version } of channel.keys()) {
        // This process constantly renews its session, and sometimes sweeps expired ones.
        if (!["session", "sweep"].includes(String((key as readonly unknown[])[0])))
          all.push(`${JSON.stringify(key)} ${version}`);
      }
    }
    return all;
  };
  const before = await versions();
  for (const [, endpoint] of all) if (endpoint.method === "GET") await (await ask(endpoint)).body?.cancel();
  expect(await versions()).toEqual(before);
});

test("a query or a body that is not of the endpoint is refused", async () => {
  expect((await it.send("GET", "/api/v1/runs?limt=1")).status).toBe(400);
  expect((await it.send("GET", "/api/v1/runs?limit=-1")).status).toBe(400);
  expect((await it.send("GET", "/api/v1/runs?status=fialed")).status).toBe(400);
  expect((await it.send("GET", "/api/v1/runs?from=today")).status).toBe(400);
  expect((await it.send("GET", "/api/v1/timeline?to=9e99")).status).toBe(400);
  expect((await it.send("GET", "/api/v1/none")).status).toBe(404);
  const large = { reason: "x".repeat(20_000) };
  expect((await it.send("POST", "/api/v1/jobs/job/hold", { body: large })).status).toBe(400);
  expect((await it.send("POST", "/api/v1/jobs/job/hold")).status).toBe(400);
});

test("openUi refuses to be without authorize", async () => {
  await expect(openTestUi({ authorize: undefined as never })).rejects.toThrow(/needs authorize/);
  await expect(openTestUi({ basePath: '/"><script>' })).rejects.toThrow(/basePath/);
  await expect(openTestUi({ hosts: ["https://a"] })).rejects.toThrow(/hosts/);
});
