import { join } from "node:path";
import { openAlerts, type Rule } from "@ojm/alerts";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { type HttpReceiver, startReceiver } from "../packages/alerts/src/testing/http-server.js";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The received alerts, each as `kind job`, and their ids in the same order. */
const told = ({ received }: HttpReceiver): string[] =>
  received.map(({ body }) => {
    const { kind, name } = JSON.parse(body).data;
    return `${kind} ${name}`;
  });
const idsOf = ({ received }: HttpReceiver): unknown[] => received.map(({ headers }) => headers["webhook-id"]);

function startAlerting(options: JobManagerOptions, rule: Rule, every: number): Promise<Child> {
  const child = startChild("alerting.child.ts", [JSON.stringify(options), JSON.stringify(rule), String(every)]);
  return child.message().then(() => child);
}

async function fail(child: Child, name: string): Promise<void> {
  const failed = child.message();
  child.process.send({ fail: name });
  await failed;
}

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("a process that is killed between the end of a run and its alert leaves the alert to another one", async () => {
    const options = await create();
    const receiver = await startReceiver();
    const rule: Rule = { on: ["failed", "lost"], to: { webhook: receiver.url, secret } };
    // Its first poll registers the rule. It does not start another one by itself.
    const child = await startAlerting(options, rule, 3_600_000);
    receiver.answer = () => void child.process.kill("SIGKILL");
    child.process.send({ fail: "a" });
    await child.ended;
    expect(told(receiver)).toEqual(["failed a"]);

    receiver.answer = (response) => void response.writeHead(204).end();
    await using manager = await openJobManager(options);
    await using _ = await openAlerts(manager, { rules: [rule], every: 100 });
    await expect.poll(() => told(receiver)).toEqual(["failed a", "failed a"]);
    expect(new Set(idsOf(receiver)).size).toBe(1);
  });

  it("a run whose process is killed, and that of a process without alerts, are reported by a living process", async () => {
    const options = await create();
    const receiver = await startReceiver();
    const rule: Rule = { on: ["failed", "lost"], to: { webhook: receiver.url, secret } };
    await using manager = await openJobManager(options);
    await using _ = await openAlerts(manager, { rules: [rule], every: 100 });
    const silent = await startAlerting(options, rule, 0);
    await fail(silent, "a");
    await expect.poll(() => told(receiver)).toEqual(["failed a"]);
    silent.process.send({ start: "b" });
    await expect.poll(async () => (await manager.openRecords()).some(({ name }) => name === "b")).toBe(true);
    silent.process.kill("SIGKILL");
    await silent.ended;
    // The next process that requests the lock finds the dead run.
    await manager.run("b", () => {}, { wait: 60_000 });
    await expect.poll(() => told(receiver)).toEqual(["failed a", "lost b"]);
  });

  it("of two processes, one sends each alert, even while the receiver is away for a while", async () => {
    const options = await create();
    const receiver = await startReceiver();
    const rule: Rule = { on: ["failed"], to: { webhook: receiver.url, secret } };
    const children = await Promise.all([1, 2].map(() => startAlerting(options, rule, 200)));
    let away = true;
    receiver.answer = (response) => void response.writeHead(away ? 503 : 204).end();
    for (let i = 0; i < 5; i++) await Promise.all(children.map((child, c) => fail(child, `job ${c} ${i}`)));
    await expect.poll(() => receiver.received.length).toBeGreaterThan(0);
    away = false;
    const refused = receiver.received.length;
    await expect.poll(() => new Set(idsOf(receiver)).size).toBe(10);
    const taken = idsOf(receiver).slice(refused);
    expect(new Set(taken).size).toBe(taken.length);
    // Further polls find nothing new.
    const looks = children.map((child) => fail(child, "last"));
    await Promise.all(looks);
    await expect.poll(() => told(receiver).filter((text) => text === "failed last").length).toBe(2);
    expect(idsOf(receiver).slice(refused)).toHaveLength(12);
  });
});

it("open alerts keep their process alive until they are closed, even with nothing else to do", async () => {
  const channel = { type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } };
  const options = { chJobs: channel, chLocks: channel };
  const receiver = await startReceiver();
  const rule: Rule = { on: ["failed", "missed"], to: { webhook: receiver.url, secret } };
  const args = [JSON.stringify(options), JSON.stringify(rule)];
  expect(await startChild("watching.child.ts", [...args, "closes"]).ended).toBe(0);

  const child = startChild("watching.child.ts", args);
  await using manager = await openJobManager(options);
  // One job after the other: each alert proves that the process was still alive after the last one.
  for (const name of ["a", "b", "c"]) {
    await manager.run(name, () => Promise.reject(new Error("it broke"))).catch(() => {});
    await expect.poll(() => told(receiver)).toContain(`failed ${name}`);
  }
  expect(child.process.exitCode).toBeNull();
  child.process.kill("SIGTERM");
  expect(await child.ended).toBe("SIGTERM");
}, 120_000);
