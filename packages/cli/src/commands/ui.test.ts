import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { called } from "../testing/called.js";
import { type Ended, ojm, start } from "../testing/ojm.js";
import { fromHere, loadUi } from "./ui.js";

function sqliteIn(folder: string): JobManagerOptions {
  const store = { type: "sqlite", args: { file: `${folder}/ojm.db` } };
  return { chJobs: store, chLocks: store, heartbeatThread: false };
}

async function folderWithStore(): Promise<string> {
  const folder = folderWith({});
  await using manager = await openJobManager(sqliteIn(folder));
  await manager.run("report", () => {});
  return folder;
}

test("ojm ui serves the UI of a store to a browser that has its link, and a signal ends it", async () => {
  const folder = await folderWithStore();
  const ui = start(folder, "ui", "--store", "sqlite:ojm.db", "--port", "0", "--read-only", "--metrics");
  await ui.prints("\n");
  const url = new URL(ui.out.trim());
  expect(url.hostname).toMatch(/^ojm-[0-9a-f]{32}\.localhost$/);
  // Only a browser resolves that name.
  url.hostname = "127.0.0.1";
  const headers = { "Content-Type": "application/json", Origin: url.origin };
  const body = JSON.stringify({ token: url.hash.replace("#token=", "") });
  const login = await fetch(`${url.origin}/api/v1/session`, { method: "POST", headers, body });
  expect(await login.json()).toMatchObject({
    ...{ store: "sqlite ojm.db", address: `sqlite:${join(realpathSync(folder), "ojm.db")}` },
    ...{ readOnly: true, role: "admin" },
  });
  const cookie = login.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const runs = await fetch(`${url.origin}/api/v1/runs`, { headers: { Cookie: cookie } });
  expect(await runs.json()).toMatchObject({ runs: [{ name: "report", status: "completed" }] });
  expect((await fetch(`${url.origin}/api/v1/runs`)).status).toBe(401);
  expect(await (await fetch(`${url.origin}/metrics`)).text()).toContain("# TYPE ojm_session_renewal_duration_seconds");
  for (const path of ["healthz", "readyz"]) expect((await fetch(`${url.origin}/${path}`)).status).toBe(200);
  ui.process.kill("SIGTERM");
  expect(await ui.ended).toMatchObject({ code: 0, err: expect.stringContaining("good once, for a minute") });
});

test("ojm ui --metrics shows when each job of the store last completed, in whatever process it ran", async () => {
  const folder = await folderWithStore();
  const ui = start(folder, "ui", "--store", "sqlite:ojm.db", "--port", "0", "--metrics");
  await ui.prints("\n");
  const { port } = new URL(ui.out.trim());
  const scrape = async (): Promise<Readonly<Record<string, number>>> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const samples = text.matchAll(/^ojm_job_last_success_timestamp_seconds\{cicd_pipeline_name="(.+)"\} (\S+)$/gm);
    return Object.fromEntries([...samples].map(([, name = "", value]) => [name, Number(value)]));
  };
  const first = await scrape();
  expect(Object.keys(first)).toEqual(["report"]);
  const exec = (name: string, command: string): Promise<Ended> =>
    ojm(folder, "exec", name, "--store", "sqlite:ojm.db", "--", "sh", "-c", command);
  const names = ["a", "b", "c", "d"];
  await Promise.all([...names.map((name) => exec(name, "true")), exec("report", "exit 3"), exec("never", "exit 3")]);
  const second = await scrape();
  expect(Object.keys(second)).toEqual([...names, "report"]);
  expect(second["report"]).toBe(first["report"]);
  await using manager = await openJobManager(sqliteIn(folder));
  const ends: Record<string, number> = {};
  for await (const { name, status, endTime = 0 } of manager.history())
    if (status === "completed") ends[name] = endTime / 1_000;
  expect(second).toEqual(ends);
});

test("ojm ui --listen serves an address that others reach to the users of a file, and to no one without it", async () => {
  const folder = await folderWithStore();
  const added = await ojm(folder, "ui", "--users", "ui-users", "--add-user", "ana:operate");
  expect(added).toMatchObject({ code: 0, err: expect.stringContaining("the password of ana, with the role operate") });
  const ui = start(folder, "ui", "--store", "sqlite:ojm.db", "--listen", "0.0.0.0:0", "--users", "ui-users");
  await ui.prints("\n");
  const { port, hash } = new URL(ui.out.trim());
  expect(hash).toBe("");
  const origin = `http://127.0.0.1:${port}`;
  expect((await fetch(`${origin}/api/v1/me`)).status).toBe(401);
  const signIn = (password: string): Promise<Response> =>
    fetch(`${origin}/api/v1/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: origin },
      body: JSON.stringify({ user: "ana", password }),
    });
  expect((await signIn("wrong")).status).toBe(401);
  const answer = await signIn(added.out.trim());
  expect(await answer.json()).toMatchObject({ user: "ana", role: "operate", signIn: "password" });
  ui.process.kill("SIGTERM");
  expect(await ui.ended).toMatchObject({
    code: 0,
    err: expect.stringContaining("the users of ui-users sign in there"),
  });
});

test("ojm ui reports what is wrong with its options, and a port that is taken", async () => {
  const folder = await folderWithStore();
  const said = async (...words: string[]): Promise<string> => {
    const { code, err } = await called(folder, ["ui", "--store", "sqlite:ojm.db", ...words]);
    expect(code).toBe(2);
    return err;
  };
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await said("--port", String(port))).toBe(`ojm: port ${port} is taken: choose another by --port\n`);
  server.close();
  expect(await said("--port", "x")).toMatch(/--port takes a number/);
  expect(await said("--listen", "0.0.0.0:0")).toMatch(/open to others: give the users who may sign in by --users FILE/);
  expect(await said("--listen", "0.0.0.0")).toMatch(/--listen takes HOST:PORT/);
  expect(await said("--listen", "127.0.0.1:99999")).toMatch(/the port of --listen takes a number/);
  expect(await said("--listen", "127.0.0.1:1", "--port", "1")).toMatch(/leave out --port/);
  expect(await said("--users", "none")).toMatch(/the file of users none cannot be read \(ENOENT\)/);
  expect(await said("--add-user", "ana")).toMatch(/needs the file of the users: --users FILE/);
  expect(await said("--users", "none", "--add-user", "ana:root")).toMatch(/the role of a user is/);
  expect(await said("--base-path", "a b")).toMatch(/basePath is a path such as/);
  expect(await said("--allow-host", "http://a")).toMatch(/hosts is a list of names/);
  vi.stubEnv("OJM_UI_SECRET", "short");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await said()).toMatch(/^ojm: OJM_UI_SECRET signs the sessions: it needs 16 characters or more, and has 5\n/);
});

test("ojm ui says how to build the package @ojm/ui of a clone, and how to install a missing one", async () => {
  const folder = folderWith({});
  mkdirSync(join(folder, "packages/ui"), { recursive: true });
  writeFileSync(join(folder, "packages/ui/package.json"), JSON.stringify({ name: "@ojm/ui" }));
  const load = (what: string) => async () => createRequire(join(folder, "-"))(what);
  await expect(loadUi([load("@ojm/ui-elsewhere"), load(join(folder, "packages/ui/dist/index.js"))])).rejects.toThrow(
    /^the package @ojm\/ui is not built: run npm run build in /,
  );
  await expect(loadUi([load("@ojm/ui-elsewhere")])).rejects.toThrow(
    "ojm ui needs the package @ojm/ui, which is not installed: npm install @ojm/ui",
  );
});

test("ojm ui loads the package @ojm/ui of the working directory, unless another user could have written it", async () => {
  const folder = realpathSync(folderWith({}));
  const home = join(folder, "node_modules/@ojm/ui");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "index.js"), "exports.openUiServer = () => {};");
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await loadUi([fromHere])).toMatchObject({ openUiServer: expect.any(Function) });
  chmodSync(home, 0o777);
  await expect(loadUi([fromHere])).rejects.toThrow(`${home}/index.js is not used: others may write to it`);
});
