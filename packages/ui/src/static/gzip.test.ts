import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestUi, type TestUi } from "../testing/test-ui.js";

let it: TestUi;

beforeAll(async () => {
  it = await openTestUi();
  for (let i = 0; i < 20; i++) await it.manager.run(`job ${i}`, () => {});
});

afterAll(() => it[Symbol.asyncDispose]());

const runs = (accepted?: string): Promise<Response> =>
  it.send("GET", "/api/v1/runs", { headers: { "Accept-Encoding": accepted } });

test("a long answer in JSON is compressed for a client that takes it, and for no other", async () => {
  const plain = await (await runs()).text();
  for (const accepted of ["gzip", "br, gzip", "GZIP;q=0.5", "deflate , gzip ;q=1.0"]) {
    const answer = await runs(accepted);
    expect(answer.headers.get("Content-Encoding"), accepted).toBe("gzip");
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect(answer.headers.get("Vary")).toBe("Accept-Encoding");
    const body = Buffer.from(await answer.arrayBuffer());
    expect(body.length).toBeLessThan(plain.length / 3);
    expect(gunzipSync(body).toString()).toBe(plain);
  }
  for (const accepted of ["identity", "br", "gzip;q=0", "gzip; q=0.000, br", "x-gzip"]) {
    const answer = await runs(accepted);
    expect(answer.headers.get("Content-Encoding"), accepted).toBeNull();
    expect(await answer.text()).toBe(plain);
  }
});

test("a short answer, an error and a stream of events are sent as they are", async () => {
  const headers = { "Accept-Encoding": "gzip" };
  for (const path of ["me", "runs/none@2026-11-25T02:00:00.000Z", "events"]) {
    const answer = await it.send("GET", `/api/v1/${path}`, { headers });
    expect(answer.headers.get("Content-Encoding"), path).toBeNull();
    if (path !== "events") expect(Object.keys((await answer.json()) as object).length).toBeGreaterThan(0);
    else await answer.body?.cancel();
  }
});
