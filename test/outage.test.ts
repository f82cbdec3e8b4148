/**
 * A server that is unreachable for seconds: the simulation and a cell of the torture harness test the same in
 * less time.
 * @module-tag full
 */
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import type { SteadyReport, SteadyRequest } from "./support/children/steady.child.js";
import { type Child, startChild } from "./support/processes.js";

/** How long the server is unreachable, in ms. `OJM_OUTAGE=30000` is the long profile. */
const OUTAGE = Number(process.env["OJM_OUTAGE"] ?? 3_000);
/** The deadline of a call, so that several calls end during the outage. */
const DEADLINE = 1_000;

interface Server {
  readonly channel: { readonly type: string; readonly args: Readonly<Record<string, unknown>> };
  kill(): Promise<void>;
  start(): Promise<void>;
}

const servers: readonly { readonly name: string; readonly missing: string | undefined; start(): Promise<Server> }[] = [
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async start() {
      const server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
      onTestFinished(() => server.stop());
      const channel = { type: "redis", args: { url: server.url, deadline: DEADLINE } };
      return { channel, kill: () => server.kill(), start: () => server.start() };
    },
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async start() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      const channel = { type: "etcd", args: { hosts: server.host, deadline: DEADLINE } };
      return { channel, kill: () => server.kill(), start: () => server.restart() };
    },
  },
];

async function ask(child: Child): Promise<SteadyReport> {
  const answer = child.message<SteadyReport>();
  child.process.send("look" satisfies SteadyRequest);
  return answer;
}

function failuresOf(report: SteadyReport | undefined): number {
  return Object.values(report?.failures ?? {}).reduce((sum, count) => sum + count, 0);
}

/** Resolves once a process has completed this many more runs. */
async function goesOn(child: Child, more: number): Promise<SteadyReport> {
  const { completed } = await ask(child);
  for (;;) {
    const report = await ask(child);
    if (report.completed >= completed + more) return report;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each(servers)("an outage of $name", ({ name, missing, start }) => {
  it.skipIf(missing !== undefined)(
    `after an outage of ${OUTAGE} ms the server is found again: no process dies, nothing leaks, work continues${missing ? `: ${missing}` : ""}`,
    async () => {
      const server = await start();
      const options = JSON.stringify({ chJobs: server.channel, chLocks: server.channel, ttl: 2_000 });
      const children = ["alone", "shared", "shared"].map((job) => startChild("steady.child.ts", [options, job]));
      await Promise.all(children.map((child) => child.message()));
      const before = await Promise.all(children.map((child) => goesOn(child, 20)));

      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, OUTAGE));
      await server.start();
      const back = performance.now();
      await Promise.all(children.map((child) => goesOn(child, 1)));
      console.log(
        `${name}: every process has completed a run ${Math.round(performance.now() - back)} ms after the server was back`,
      );

      const [alone] = await Promise.all(children.map((child) => goesOn(child, 20)));
      // Only errors of the store reported the outage. A process that waited for a lock all the time may not
      // have noticed it.
      expect(failuresOf(alone)).toBeGreaterThan(failuresOf(before[0]));
      for (const [i, child] of children.entries()) {
        // Some are under way at any moment, but leftovers of the outage would show at every moment.
        const leftover = async (): Promise<[string, number][]> => {
          const { resources } = await ask(child);
          return Object.entries(resources).filter(([kind, count]) => count > (before[i]?.resources[kind] ?? 0) + 2);
        };
        await expect.poll(leftover, { interval: 20 }).toEqual([]);
      }
      for (const child of children) child.process.send("stop" satisfies SteadyRequest);
      expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0]);
      // A process warns if the outage kept it from recording the end of a run. It prints nothing else.
      const warning = /^\(node:\d+\) \[OJM_UNRECORDED\] .*\nSee .*\n(\(Use .*\n)?/gm;
      expect(children.map(({ output }) => output.stderr.replaceAll(warning, "")).join("")).toBe("");
    },
    OUTAGE + 120_000,
  );
});
