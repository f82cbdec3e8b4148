import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { called } from "../testing/called.js";
import { folderWith, start } from "../testing/ojm.js";
import { loadUi } from "./ui.js";

async function folderWithStore(): Promise<string> {
  const folder = folderWith({});
  const store = { type: "sqlite", args: { file: `${folder}/ojm.db` } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store, heartbeatThread: false });
  await manager.run("report", () => {});
  return folder;
}

test("ojm ui serves the cockpit of a store, whoever has its link looks, and a signal ends it", async () => {
  const folder = await folderWithStore();
  const ui = start(folder, "ui", "--store", "sqlite:ojm.db", "--port", "0", "--read-only", "--metrics");
  await ui.prints("\n");
  const url = new URL(ui.out.trim());
  expect(url.hostname).toMatch(/^ojm-[0-9a-f]{32}\.localhost$/);
  // A browser resolves that name by itself.
  url.hostname = "127.0.0.1";
  const headers = { "Content-Type": "application/json", Origin: url.origin };
  const body = JSON.stringify({ token: url.hash.replace("#token=", "") });
  const login = await fetch(`${url.origin}/api/v1/session`, { method: "POST", headers, body });
  expect(await login.json()).toMatchObject({ store: "sqlite ojm.db", readOnly: true, role: "admin" });
  const cookie = login.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const runs = await fetch(`${url.origin}/api/v1/runs`, { headers: { Cookie: cookie } });
  expect(await runs.json()).toMatchObject({ runs: [{ name: "report", status: "completed" }] });
  expect((await fetch(`${url.origin}/api/v1/runs`)).status).toBe(401);
  expect(await (await fetch(`${url.origin}/metrics`)).text()).toContain("# TYPE ojm_session_renewal_duration_seconds");
  for (const path of ["healthz", "readyz"]) expect((await fetch(`${url.origin}/${path}`)).status).toBe(200);
  ui.process.kill("SIGTERM");
  expect(await ui.ended).toMatchObject({ code: 0, err: expect.stringContaining("good once, for a minute") });
});

test("ojm ui tells what is wrong with its words, and of a port that is taken", async () => {
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
