import { systemClock } from "@ojm/core/backend";
import { backend as simple } from "@ojm/simple";
import { expect, test } from "vitest";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { collected } from "../testing/events.js";
import { openTestUi } from "../testing/test-ui.js";

test("a store that goes away is 503 for each request, and stale for each stream, until it is back", async () => {
  const clock = { ...systemClock };
  const way = new FaultyBackend(await simple.open({}, { clock }), clock, {});
  await using it = await openTestUi({ channels: { chJobs: { backend: way }, chLocks: { backend: way }, clock } });
  const before = await it.send("GET", "/api/v1/events");
  const all = collected(before);
  await expect.poll(() => all.map(({ event }) => event)).toEqual(["hello", "running"]);
  const away = Date.now();
  way.fault = () => ({ type: "refused" });
  await expect.poll(() => all.at(-1)).toMatchObject({ event: "stale" });
  for (const path of ["now", "jobs", "runs", "locks", "timeline", "audit", "jobs/a", "jobs/a/why"]) {
    const response = await it.send("GET", `/api/v1/${path}`);
    expect([path, response.status]).toEqual([path, 503]);
    expect(await response.json()).toMatchObject({ error: { code: "AWAY" } });
  }
  const during = await it.send("GET", "/api/v1/events");
  const told = collected(during);
  await expect.poll(() => told.map(({ event }) => event)).toContain("stale");
  const stale = told.flatMap(({ event, data }) => (event === "stale" ? [data.since] : []));
  expect(stale[0]).toBeLessThanOrEqual(Date.now());
  expect(stale[0]).toBeGreaterThan(away - 60_000);
  way.fault = () => undefined;
  for (const events of [all, told]) await expect.poll(() => events.map(({ event }) => event)).toContain("fresh");
  const run = await it.manager.start("a");
  for (const events of [all, told]) {
    await expect
      .poll(() => events.flatMap(({ event, data }) => (event === "running" ? data.put.map(({ id }) => id) : [])))
      .toContain(run.id);
  }
  expect((await it.send("GET", "/api/v1/now")).status).toBe(200);
  await run.end();
});
