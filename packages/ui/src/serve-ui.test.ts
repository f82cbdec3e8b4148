import { request } from "node:http";
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openUiServer } from "./serve-ui.js";
import type { UiServer, UiServerOptions } from "./types.js";

let served: UiServer | undefined;
let manager: Awaited<ReturnType<typeof openJobManager>>;

beforeEach(async () => {
  manager = await openJobManager({ heartbeatThread: false, clock: { ...systemClock } });
});

afterEach(async () => {
  await served?.close();
  served = undefined;
  await manager.close();
});

const serve = async (options: Partial<UiServerOptions> = {}): Promise<UiServer> => {
  served = await openUiServer({ manager, ...options });
  return served;
};

const tokenOf = (url: string): string => new URL(url).hash.replace("#token=", "");

interface Answer {
  readonly status: number;
  readonly cookie: string | undefined;
  readonly body: string;
}

/** Sends a request by node:http: `fetch` does not allow a custom Host. */
function send(method: string, path: string, headers: Record<string, string> = {}, body?: object): Promise<Answer> {
  const port = served?.port ?? 0;
  return new Promise((resolve, reject) => {
    const more = method === "GET" ? {} : { "Content-Type": "application/json", Origin: `http://127.0.0.1:${port}` };
    const options = { host: "127.0.0.1", port, method, path, headers: { ...more, ...headers }, agent: false };
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        const [cookie] = response.headers["set-cookie"] ?? [];
        resolve({ status: response.statusCode ?? 0, cookie, body: text });
      });
    });
    sent.on("error", reject).end(body && JSON.stringify(body));
  });
}

const login = (token: string): Promise<Answer> => send("POST", "/api/v1/session", {}, { token });

describe("a UI that is served", () => {
  test("listens on this machine alone, and its URL has a launch token in the fragment", async () => {
    const { url, port } = await serve();
    expect(url).toMatch(new RegExp(`^http://ojm-[0-9a-f]{32}\\.localhost:${port}/#token=[\\w-]{43}$`));
    expect((await send("GET", "/api/v1/me")).status).toBe(401);
  });

  test("exchanges the token once for a cookie that scripts cannot read and other sites do not send", async () => {
    const { url, port } = await serve();
    const { status, cookie = "", body } = await login(tokenOf(url));
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ role: "admin", store: "memory" });
    expect(cookie).toMatch(
      new RegExp(`^ojm_session_${port}=[\\w.-]+; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict$`),
    );
    const headers = { Cookie: cookie.split(";")[0] ?? "" };
    expect((await send("GET", "/api/v1/me", headers)).status).toBe(200);
    expect((await login(tokenOf(url))).status).toBe(401);
    expect((await login(tokenOf(served?.link() ?? ""))).status).toBe(200);
  });

  test("has a host name that cannot be guessed, by which the whole server answers, as it does by the address", async () => {
    const { url, port } = await serve();
    const { host, hostname } = new URL(url);
    expect((await send("GET", "/healthz", { Host: host })).status).toBe(200);
    expect((await send("GET", "/api/v1/me", { Host: host })).status).toBe(401);
    const named = { Host: host, Origin: `http://${host}` };
    const { status, cookie = "" } = await send("POST", "/api/v1/session", named, { token: tokenOf(url) });
    expect([status, cookie]).toEqual([200, expect.not.stringMatching(/Domain/i)]);
    const session = { Host: host, Cookie: cookie.split(";")[0] ?? "" };
    expect((await send("GET", "/api/v1/me", session)).status).toBe(200);
    for (const other of [`ojm-${"0".repeat(32)}.localhost:${port}`, `x.${host}`, "evil.localhost"])
      expect((await send("GET", "/api/v1/me", { ...session, Host: other })).status).toBe(403);
    // Without a secret it differs at each start; with a secret it stays the same.
    await served?.close();
    expect(new URL((await serve()).url).hostname).not.toBe(hostname);
    await served?.close();
    const secret = "a secret of a test";
    const first = new URL((await serve({ secret })).url).hostname;
    await served?.close();
    expect(new URL((await serve({ secret })).url).hostname).toBe(first);
  });

  test("a session is not valid for a UI with the same secret and other rights, or of another store", async () => {
    const secret = "a secret of a test";
    const viewer = { user: "ana", role: "read" } as const;
    const { url, port, close } = await serve({ secret, viewer, readOnly: true });
    const { cookie = "" } = await login(tokenOf(url));
    const session = { Cookie: cookie.split(";")[0] ?? "" };
    const status = async (options: Partial<UiServerOptions>): Promise<number> => {
      await serve({ port, secret, ...options });
      const answer = await send("GET", "/api/v1/me", session);
      await served?.close();
      return answer.status;
    };
    await close();
    expect(await status({ viewer, readOnly: true })).toBe(200);
    expect(await status({ viewer })).toBe(401);
    expect(await status({ viewer: { user: "ana", role: "admin" }, readOnly: true })).toBe(401);
    expect(await status({ viewer: { user: "eve", role: "read" }, readOnly: true })).toBe(401);
    expect(await status({ viewer, readOnly: true, showResults: true })).toBe(401);
    const folder = temporaryFolder();
    const chJobs = { type: "sqlite", args: { file: join(folder, "other.db") } };
    await using other = await openJobManager({ chJobs, chLocks: chJobs, heartbeatThread: false });
    expect(await status({ viewer, readOnly: true, manager: other })).toBe(401);
  });

  test("ends a session on request", async () => {
    const { url } = await serve();
    const { cookie = "" } = await login(tokenOf(url));
    const headers = { Cookie: cookie.split(";")[0] ?? "" };
    const ended = await send("DELETE", "/api/v1/session", headers);
    expect([ended.status, ended.cookie]).toEqual([200, expect.stringContaining("Max-Age=0")]);
    expect((await send("GET", "/api/v1/me", headers)).status).toBe(401);
  });

  test.each([
    [{ readonly: true }, 'openUiServer has no option "readonly". Did you mean "readOnly"?'],
    [{ hosts: ["*"] }, "hosts is a list of names"],
    [{ viewer: { user: "ana", role: "root" } }, "viewer is { user, role }"],
    [{ secret: "short" }, "it needs 16 characters or more, and has 5"],
  ])("refuses %j: a typing error must not open more than was meant", async (options, text) => {
    await expect(serve(options as Partial<UiServerOptions>)).rejects.toThrow(text);
  });

  test("keeps sessions over a new start with the same secret, and only then", async () => {
    for (const [secret, status] of [
      ["a secret of a test", 200],
      [undefined, 401],
    ] as const) {
      const { url, port, close } = await serve(secret === undefined ? {} : { secret });
      const { cookie = "" } = await login(tokenOf(url));
      await close();
      await serve({ port, ...(secret !== undefined && { secret }) });
      expect((await send("GET", "/api/v1/me", { Cookie: cookie.split(";")[0] ?? "" })).status).toBe(status);
      await served?.close();
    }
  });

  test("refuses more than ten wrong tokens a minute, and lets the owner in all the same", async () => {
    const { url } = await serve();
    const states: number[] = [];
    for (let i = 0; i < 11; i++) states.push((await login("none")).status);
    expect(states).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect((await login(tokenOf(url))).status).toBe(200);
  });

  test("forgets the streams of those who went away", async () => {
    const { url } = await serve();
    const { cookie = "" } = await login(tokenOf(url));
    const headers = { Cookie: cookie.split(";")[0] ?? "" };
    const states: number[] = [];
    const streams = async (): Promise<number> => {
      const controller = new AbortController();
      const { signal } = controller;
      const { status } = await fetch(`http://127.0.0.1:${served?.port}/api/v1/events`, { headers, signal });
      controller.abort();
      return status;
    };
    for (let i = 0; i < 60; i++) states.push(await streams());
    // The server notices a moment later that a client disconnected.
    await expect.poll(streams).toBe(200);
    expect(states.filter((status) => status !== 200 && status !== 429)).toEqual([]);
  });

  test("refuses foreign hosts over the wire", async () => {
    await serve();
    for (const path of ["/", "/api/v1/me", "/api/v1/events", "/assets/x.js"]) {
      expect((await send("GET", path, { Host: "evil.example" })).status).toBe(403);
    }
  });

  test("rejects an address that others reach, unless authorize says who may", async () => {
    await expect(serve({ host: "0.0.0.0" })).rejects.toThrow(/open to others/);
    await expect(serve({ host: "192.168.1.1" })).rejects.toThrow(/open to others/);
    const { url } = await serve({ host: "0.0.0.0", authorize: () => undefined });
    expect(url).not.toContain("token");
    expect((await login("none")).status).toBe(404);
  });

  test("reports a port that is taken, and leaves nothing open", async () => {
    const { port } = await serve();
    await expect(openUiServer({ manager, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
