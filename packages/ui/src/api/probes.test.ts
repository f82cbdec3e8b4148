import { systemClock } from "@ojm/core/backend";
import { backend as simple } from "@ojm/simple";
import { expect, test } from "vitest";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { openTestUi, type Sending } from "../testing/test-ui.js";

const METRICS = "cicd_pipeline_run_active 1\n";
const metrics = (): string => METRICS;

/** A request of a program on this machine, without a session. */
const LOCAL: Sending = { role: "none", from: { address: "127.0.0.1" } };

test("/healthz and /readyz need no session, and report only whether the store answers", async () => {
  const clock = { ...systemClock };
  const way = new FaultyBackend(await simple.open({}, { clock }), clock, {});
  await using it = await openTestUi({ channels: { chJobs: { backend: way }, chLocks: { backend: way }, clock } });
  await it.manager.run("secret-name", () => {});
  const said = async (path: string): Promise<readonly [number, string]> => {
    const response = await it.send("GET", path, { role: "none" });
    return [response.status, await response.text()];
  };
  expect(await said("/readyz")).toEqual([200, "ok\n"]);
  way.fault = () => ({ type: "refused" });
  await expect.poll(() => said("/readyz")).toEqual([503, "the store does not answer\n"]);
  expect(await said("/healthz")).toEqual([200, "ok\n"]);
  way.fault = () => undefined;
  await expect.poll(() => said("/readyz")).toEqual([200, "ok\n"]);
  for (const path of ["/readyz", "/healthz", "/metrics"]) {
    expect((await it.send("POST", path, { body: {} })).status).toBe(405);
    expect((await it.send("GET", path, { headers: { Host: "evil.example" } })).status).toBe(403);
  }
});

test("/metrics exists only with the option metrics", async () => {
  await using it = await openTestUi();
  expect(await (await it.send("GET", "/metrics", LOCAL)).text()).toMatch(/<!doctype html>|not built/i);
});

test("/metrics is for programs of this machine, and for those who have a session", async () => {
  await using it = await openTestUi({ metrics, hosts: ["ops.example.com"], trustProxy: true });
  const status = async (sending: Sending): Promise<number> => (await it.send("GET", "/metrics", sending)).status;
  const local = await it.send("GET", "/metrics", LOCAL);
  expect([local.status, local.headers.get("Content-Type"), await local.text()]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    METRICS,
  ]);
  for (const address of ["::1", "::ffff:127.0.0.1", "127.8.9.10"]) {
    expect([address, await status({ ...LOCAL, from: { address } })]).toEqual([address, 200]);
  }
  for (const from of [{ address: "10.1.2.3" }, { address: "1127.0.0.1" }, { address: "127.0.0.1.evil" }, {}]) {
    expect([from, await status({ ...LOCAL, from })]).toEqual([from, 401]);
    expect(await status({ role: "read", from })).toBe(200);
  }
});

test("/metrics behind a proxy on the same machine needs a session", async () => {
  await using it = await openTestUi({ metrics, hosts: ["ops.example.com"], trustProxy: true });
  const proxied: readonly Sending["headers"][] = [
    { "X-Forwarded-For": "127.0.0.1" },
    { Forwarded: "for=127.0.0.1" },
    { "X-Real-IP": "127.0.0.1" },
    { Via: "1.1 proxy" },
    { Host: "ops.example.com" },
  ];
  for (const headers of proxied) {
    const response = await it.send("GET", "/metrics", { ...LOCAL, ...(headers && { headers }) });
    expect([headers, response.status]).toEqual([headers, 401]);
  }
});

test("/metrics is not for a page of another site, and is below the base path", async () => {
  await using it = await openTestUi({ metrics, basePath: "/a/b" });
  const site = { "Sec-Fetch-Site": "cross-site" };
  expect((await it.send("GET", "/metrics", { ...LOCAL, headers: site })).status).toBe(403);
  for (const path of ["/a/b/metrics", "/metrics"]) {
    expect(await (await it.send("GET", path, LOCAL)).text()).toBe(METRICS);
  }
});
