import type { InMs } from "@ojm/core/internal";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../deliver/outcome.js";
import { example } from "../testing/example.js";
import { startReceiver } from "../testing/http-server.js";
import type { Receiver } from "../types.js";
import { ping } from "./healthchecks.js";
import { send } from "./receivers.js";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const deliver = (to: InMs<Receiver>, alert = example, signal = new AbortController().signal): Promise<Outcome> =>
  send(to, alert, { signal, now: Date.now() });

test("the message to Slack has the link of an alert, which nothing in a name can leave", async () => {
  const server = await startReceiver();
  await deliver({ slack: server.url }, { ...example, link: "https://ops.example.com/a|b/runs/x%3C%3E" });
  const { blocks } = JSON.parse(server.received[0]?.body ?? "") as { readonly blocks: readonly object[] };
  expect(blocks).toContainEqual({
    type: "section",
    text: { type: "mrkdwn", text: "<https://ops.example.com/a%7Cb/runs/x%3C%3E|Open in ojm>" },
  });
});

describe("webhooks", () => {
  test("a webhook is verified by the library of Standard Webhooks, and refused with another secret", async () => {
    const server = await startReceiver();
    expect(await deliver({ webhook: `${server.url}/hook?a=1`, secret })).toEqual({ type: "taken" });
    const [{ path, headers, body } = { path: "", headers: {}, body: "" }] = server.received;
    expect(path).toBe("/hook?a=1");
    expect(headers["webhook-id"]).toBe(example.id);
    const verified = new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(verified).toEqual({ type: "run.failed", timestamp: example.ended, data: example });
    const other = new Webhook("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    expect(() => other.verify(body, headers as Record<string, string>)).toThrow("No matching signature");
  });

  test("without a secret, a webhook has its id and its time, and no signature", async () => {
    const server = await startReceiver();
    await deliver({ webhook: server.url });
    expect(server.received[0]?.headers).toMatchObject({ "webhook-id": example.id });
    expect(server.received[0]?.headers["webhook-signature"]).toBeUndefined();
  });

  test.each<[number, Record<string, string>, object]>([
    [200, {}, { type: "taken" }],
    [302, { location: "http://127.0.0.1:1/" }, { type: "refused", why: "it answered 302: redirects are not followed" }],
    [400, {}, { type: "refused", why: "it answered 400" }],
    [410, {}, { type: "gone" }],
    [429, { "retry-after": "120" }, { type: "later", why: "it answered 429", after: 120_000 }],
    [503, { "retry-after": "soon" }, { type: "later", why: "it answered 503" }],
    [500, {}, { type: "later", why: "it answered 500" }],
  ])("the answer %i", async (status, headers, outcome) => {
    const server = await startReceiver();
    server.answer = (response) => void response.writeHead(status, headers).end("what it says is not read");
    expect(await deliver({ webhook: server.url })).toMatchObject(outcome);
    expect(server.received).toHaveLength(1);
  });

  test("a Retry-After that is a date is a span from now", async () => {
    const server = await startReceiver();
    const date = new Date(Date.now() + 600_000).toUTCString();
    server.answer = (response) => void response.writeHead(503, { "retry-after": date }).end();
    const outcome = await deliver({ webhook: server.url });
    expect(outcome).toMatchObject({ type: "later" });
    expect((outcome as { after: number }).after).toBeGreaterThan(500_000);
  });

  test("a receiver that does not answer in time is tried later", async () => {
    const server = await startReceiver();
    server.answer = () => {};
    const outcome = await deliver({ webhook: server.url, deadline: 50 });
    expect(outcome).toEqual({ type: "later", why: "no answer within 50 ms" });
  });

  test("an answer whose body never ends is an answer", async () => {
    const server = await startReceiver();
    server.answer = (response) => void response.writeHead(200).write("and so on");
    expect(await deliver({ webhook: server.url })).toEqual({ type: "taken" });
  });

  test("no address and no secret is in what a failure says", async () => {
    const outcome = await deliver({ webhook: "http://127.0.0.1:1/hook/s3cret?token=s3cret", secret });
    expect(outcome).toEqual({ type: "later", why: expect.stringMatching(/^the request failed/) });
    expect(JSON.stringify(outcome)).not.toMatch(/s3cret|whsec|127/);
  });

  test("a delivery that is stopped ends at once", async () => {
    const server = await startReceiver();
    const stop = new AbortController();
    server.answer = () => stop.abort();
    expect(await deliver({ webhook: server.url }, example, stop.signal)).toMatchObject({ type: "later" });
  });
});

describe("healthchecks", () => {
  test.each([
    ["started", "/ping/uuid/start", undefined],
    ["completed", "/ping/uuid", undefined],
    ["failed", "/ping/uuid/fail", "it broke"],
    ["lost", "/ping/uuid/fail", "its process died"],
  ] as const)("%s is a ping of %s", async (kind, path, error) => {
    const server = await startReceiver();
    const { error: _, ...rest } = example;
    const alert = { ...rest, kind, ...(error !== undefined && { error }) };
    expect(await deliver({ healthchecks: `${server.url}/ping/uuid/` }, alert)).toEqual({ type: "taken" });
    const url = new URL(server.received[0]?.path ?? "", server.url);
    expect(url.pathname).toBe(path);
    expect(url.searchParams.get("rid")).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(server.received[0]?.body).toContain(error ?? example.run);
  });

  test("a failure has the last lines of the log, and nothing else has", async () => {
    const server = await startReceiver();
    const options = { signal: new AbortController().signal, now: 0, logTail: async () => "the disk is full" };
    for (const kind of ["failed", "completed"] as const) {
      await send({ healthchecks: server.url }, { ...example, kind }, options);
    }
    expect(server.received[0]?.body.endsWith("\n\nthe disk is full")).toBe(true);
    expect(server.received[1]?.body).not.toContain("disk");
  });
});

describe("a ping of a check", () => {
  test("that is not answered well is tried again, three times in all, and the reason has no address", async () => {
    const server = await startReceiver();
    server.answer = (response) => void response.writeHead(server.received.length < 3 ? 503 : 200).end();
    expect(await ping(`${server.url}/uuid`, 0, { body: "all is well" })).toBeUndefined();
    expect(server.received.map(({ path, body }) => [path, body])).toEqual(Array(3).fill(["/uuid", "all is well"]));
    server.answer = (response) => void response.writeHead(500).end();
    expect(await ping(`${server.url}/uuid`, 7)).toBe("it answered 500");
    expect(server.received.slice(3).map(({ path }) => path)).toEqual(Array(3).fill("/uuid/7"));
  });

  test("that is refused is not tried again, and neither is one that its caller has given up", async () => {
    const server = await startReceiver();
    server.answer = (response) => void response.writeHead(404).end();
    expect(await ping(server.url, "start")).toBe("it answered 404");
    const over = new AbortController();
    server.answer = (response) => {
      response.writeHead(500).end();
      over.abort();
    };
    expect(await ping(server.url, "start", { signal: over.signal })).toBe("it answered 500");
    expect(server.received.map(({ path }) => path)).toEqual(["/start", "/start"]);
  });
});

describe("Slack", () => {
  test("names and errors are data: they mention no user and link nowhere", async () => {
    const server = await startReceiver();
    expect(await deliver({ slack: server.url })).toEqual({ type: "taken" });
    const { text, blocks } = JSON.parse(server.received[0]?.body ?? "");
    expect(text).toBe("nightly &lt;!channel&gt; *b* failed (4 times in a row)");
    expect(blocks.map((block: { text: { type: string } }) => block.text.type)).toEqual(Array(3).fill("plain_text"));
    expect(blocks[1].text.text).toContain("duration: 1 h 1 min");
    expect(blocks[1].text.text).toContain("attempt: 2 of 3");
    expect(blocks[2].text.text).toBe(example.error);
  });
});
