import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ErrorBody, Me } from "../contract/types.js";
import { openUiServer } from "../serve-ui.js";
import { type RawResponse, sendRaw } from "../testing/raw-http.js";
import type { UiServer, UiServerOptions } from "../types.js";
import { addUiUser } from "./users.js";

let manager: Awaited<ReturnType<typeof openJobManager>>;
let served: UiServer | undefined;
let file: string;
const passwords: Record<string, string> = {};

beforeEach(async () => {
  manager = await openJobManager({ heartbeatThread: false, clock: { ...systemClock } });
  file = join(temporaryFolder(), "users");
  for (const role of ["read", "operate", "admin"] as const)
    passwords[role] = await addUiUser(file, { user: role, role });
});

afterEach(async () => {
  await served?.close();
  served = undefined;
  await manager.close();
});

const serve = async (options: Partial<UiServerOptions> = {}): Promise<UiServer> => {
  await served?.close();
  served = await openUiServer({ manager, users: file, ...options });
  return served;
};

type Headers = Readonly<Record<string, string | undefined>>;

/** Sends a request without an HTTP library, as a page of the server would, except for these headers. */
async function send(method: string, target: string, headers: Headers = {}, body?: object): Promise<RawResponse> {
  const host = `127.0.0.1:${served?.port}`;
  const own = { Host: host, ...(method !== "GET" && { "Content-Type": "application/json", Origin: `http://${host}` }) };
  const given = Object.entries({ ...own, ...headers }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  const answer = await sendRaw(served?.port ?? 0, {
    method,
    target,
    headers: given,
    body: body ? JSON.stringify(body) : "",
  });
  if (answer === undefined) throw new Error(`no response to ${method} ${target}`);
  return answer;
}

const login = (user: string, password = passwords[user], headers: Headers = {}): Promise<RawResponse> =>
  send("POST", "/api/v1/session", headers, { user, password });

/** The header with the cookie of a user. */
async function session(user: string): Promise<Headers> {
  const { status, headers } = await login(user);
  expect(status).toBe(200);
  return { Cookie: (headers.get("set-cookie") ?? "").split(";")[0] };
}

const errorOf = ({ body }: RawResponse): ErrorBody["error"] => (JSON.parse(body) as ErrorBody).error;

const status = async (headers: Headers, path = "/api/v1/me"): Promise<number> =>
  (await send("GET", path, headers)).status;

test("a user signs in with a name and a password, for a cookie that scripts cannot read and other sites do not send", async () => {
  const { url, port } = await serve();
  expect(url).toBe(`http://127.0.0.1:${port}/`);
  const nobody = await send("GET", "/api/v1/me");
  expect([nobody.status, errorOf(nobody).signIn]).toEqual([401, "password"]);
  const answer = await login("operate");
  expect(JSON.parse(answer.body) as Me).toMatchObject({ user: "operate", role: "operate", signIn: "password" });
  expect(answer.body).not.toContain("scrypt");
  expect(answer.headers.get("set-cookie")).toMatch(
    new RegExp(`^ojm_session_${port}=[\\w.-]+; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict$`),
  );
  expect(await status({ Cookie: answer.headers.get("set-cookie")?.split(";")[0] })).toBe(200);
});

test("a wrong password, an unknown user and a launch token have one answer", async () => {
  await serve();
  const answers = [
    await login("operate", "wrong"),
    await login("nobody", "wrong"),
    await login("operate", passwords["admin"]),
    await send("POST", "/api/v1/session", {}, { token: "x" }),
    await send("POST", "/api/v1/session", {}, {}),
  ];
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
    new Set([
      `401 ${JSON.stringify({ error: { code: "UNAUTHORIZED", message: "the name or the password is wrong" } })}`,
    ]),
  );
  for (const { headers } of answers) expect(headers.get("set-cookie")).toBeUndefined();
});

test("no page of the store, no stream and no action without the cookie", async () => {
  await serve();
  const events = await send("GET", "/api/v1/events", { Accept: "text/event-stream" });
  expect([events.status, events.headers.get("content-type")]).toEqual([401, "application/json"]);
  await manager.run("secret-job", () => {});
  expect((await send("GET", "/jobs/secret-job")).body).not.toContain('"name":"secret-job"');
  expect((await send("POST", "/api/v1/jobs/secret-job/pause", {}, { reason: "r" })).status).toBe(401);
  const headers = await session("read");
  expect((await send("GET", "/api/v1/events", headers)).headers.get("content-type")).toBe("text/event-stream");
});

test("another Host, another Origin and a form are rejected before the password is checked", async () => {
  await serve();
  const password = passwords["admin"];
  for (const headers of [
    { Host: "evil.example" },
    { Host: `evil.example:${served?.port}`, Origin: `http://evil.example:${served?.port}` },
    { Origin: "http://evil.example" },
    { Origin: undefined },
    { Origin: "null" },
    { "Sec-Fetch-Site": "cross-site" },
  ])
    expect([headers, (await login("admin", password, headers)).status]).toEqual([headers, 403]);
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  expect((await login("admin", password, form)).status).toBe(400);
  // A proxy is not trusted unless an option says so.
  const forwarded = { Host: "evil.example", "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "https" };
  expect((await login("admin", password, forwarded)).status).toBe(403);
  expect((await login("admin")).status).toBe(200);
});

test("the role of a user is that of the file, and the name of the user is in the audit", async () => {
  await serve();
  await manager.run("a", () => {});
  const hold = async (user: string): Promise<number> =>
    (await send("POST", "/api/v1/jobs/a/hold", await session(user), { reason: `of ${user}` })).status;
  expect(await hold("read")).toBe(403);
  expect(await hold("operate")).toBe(200);
  const unlock = (headers: Headers): Promise<RawResponse> =>
    send("POST", "/api/v1/jobs/a/unlock", headers, { reason: "r" });
  expect((await unlock(await session("operate"))).status).toBe(403);
  expect((await unlock(await session("admin"))).status).not.toBe(403);
  const { body } = await send("GET", "/api/v1/audit", await session("read"));
  expect(body).toMatch(/"author":"operate \(127\.0\.0\.1\)"/);
});

test("ten wrong passwords a minute, even if they are sent at once; a right one does not count", async () => {
  await serve();
  for (let i = 0; i < 12; i++) await session("read");
  const answers = await Promise.all(Array.from({ length: 30 }, () => login("read", "wrong")));
  const count = (code: number): number => answers.filter((answer) => answer.status === code).length;
  // On a slow machine, a second minute may begin meanwhile.
  expect([10, 20]).toContain(count(401));
  expect(count(401) + count(429)).toBe(30);
  const refused = answers.find((answer) => answer.status === 429);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("behind a trusted proxy, each client has its own attempts, and https makes the cookie secure", async () => {
  await serve({ trustProxy: true, hosts: ["ops.example.com"] });
  const from = (client: string): Headers => ({
    "X-Forwarded-For": `forged, ${client}`,
    "X-Forwarded-Host": "ops.example.com",
    "X-Forwarded-Proto": "https",
    Origin: "https://ops.example.com",
  });
  for (let i = 0; i < 10; i++) expect((await login("read", "wrong", from("10.0.0.1"))).status).toBe(401);
  expect((await login("read", "wrong", from("10.0.0.1"))).status).toBe(429);
  const answer = await login("read", passwords["read"], from("10.0.0.2"));
  expect([answer.status, answer.headers.get("set-cookie")]).toEqual([200, expect.stringMatching(/; Secure$/)]);
});

test("a session ends with a sign-out, a new password, another role and the removal of the user", async () => {
  await serve({ secret: "a secret of a test" });
  const first = await session("operate");
  expect((await send("DELETE", "/api/v1/session", first)).status).toBe(200);
  expect(await status(first)).toBe(401);
  const [second, other] = [await session("operate"), await session("read")];
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("operate operate ", "operate admin "));
  expect([await status(second), await status(other)]).toEqual([401, 200]);
  writeFileSync(file, text.replace(/^operate .*\n/m, ""));
  expect([await status(second), await status(other)]).toEqual([401, 200]);
  passwords["operate"] = await addUiUser(file, { user: "operate", role: "operate" });
  expect(await status(second)).toBe(401);
  const third = await session("operate");
  // The cookie says whose it is: a changed name has no valid signature.
  const forged = String(third["Cookie"]).replace(/\.b3BlcmF0ZQ\./, `.${Buffer.from("admin").toString("base64url")}.`);
  expect(forged).not.toBe(third["Cookie"]);
  expect([await status(third), await status({ Cookie: forged })]).toEqual([200, 401]);
});

test("sessions survive a restart with the same secret; those of a launch token are not valid for users", async () => {
  const secret = "a secret of a test";
  const { port } = await serve({ secret });
  const headers = await session("read");
  await serve({ secret, port });
  expect(await status(headers)).toBe(200);
  await served?.close();
  served = await openUiServer({ manager, secret, port });
  expect(await status(headers)).toBe(401);
  const { hash, port: own } = new URL(served.link());
  expect(Number(own)).toBe(port);
  const answer = await send("POST", "/api/v1/session", {}, { token: hash.replace("#token=", "") });
  const launched = { Cookie: (answer.headers.get("set-cookie") ?? "").split(";")[0] };
  expect(await status(launched)).toBe(200);
  await serve({ secret, port });
  expect(await status(launched)).toBe(401);
});

test("a user with a password is the login that an address open to others needs", async () => {
  const { url, port } = await serve({ host: "0.0.0.0" });
  expect(url).toBe(`http://${hostname()}:${port}/`);
  expect((await send("GET", "/api/v1/me", { Host: `${hostname()}:${port}` })).status).toBe(401);
  expect((await send("GET", "/api/v1/me", { Host: `evil.example:${port}` })).status).toBe(403);
  const named = `http://${hostname()}:${port}`;
  expect((await login("read", passwords["read"], { Host: `${hostname()}:${port}`, Origin: named })).status).toBe(200);
  await expect(openUiServer({ manager, host: "0.0.0.0" })).rejects.toThrow(/open to others: give users/);
  await expect(openUiServer({ manager, users: `${file}-none` })).rejects.toThrow("cannot be read");
  const viewer = { user: "ana", role: "read" } as const;
  await expect(openUiServer({ manager, users: file, viewer })).rejects.toThrow("leave out viewer");
});
