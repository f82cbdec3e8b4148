import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { tsArgs } from "@ojm/testing/programs";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { fromYaml } from "../packages/ojob/src/load/yaml/yaml.js";
import { type Child, watchChild } from "./support/processes.js";

/* The example of a service, and the page about it. */

const SERVICE = fileURLToPath(new URL("../examples/service/service.ts", import.meta.url));
const FOLDER = fileURLToPath(new URL("../examples/service/", import.meta.url));
const PAGE = fileURLToPath(new URL("../docs/how-to/run-as-a-service.md", import.meta.url));

const fileOf = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

/** The version of pnpm that installs this repository. */
const PNPM = /PNPM = "(.*)"/.exec(fileOf("../../scripts/lib/install.mjs"))?.[1] ?? "";

interface Replica extends Child {
  /** Its answer on a path. */
  get(path: string): Promise<readonly [status: number, text: string]>;
}

async function startReplica(env: Readonly<Record<string, string>>): Promise<Replica> {
  const service = spawn(process.execPath, [...tsArgs(), SERVICE], {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const child = watchChild(service);
  await expect.poll(() => child.output.stdout + child.output.stderr).toMatch(/^ready on port \d+$/m);
  const [, port] = /port (\d+)/.exec(child.output.stdout) ?? [];
  return {
    ...child,
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return [response.status, await response.text()];
    },
  };
}

async function openRedis(): Promise<string> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return redis.url;
}

async function runsOf(manager: JobManager, name: string): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for await (const run of manager.history({ name })) runs.unshift(run);
  return runs;
}

/** Receives alerts. */
async function webhook(): Promise<{ readonly url: string; readonly alerts: { readonly name: string }[] }> {
  const alerts: { name: string }[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    alerts.push(JSON.parse(text).data);
    response.end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, alerts };
}

const missing = whyMissing("redis-server");

describe.skipIf(missing !== undefined)(`the example of a service${missing === undefined ? "" : `: ${missing}`}`, () => {
  it("a replica of the example service answers its health checks and metrics, and ends with 0 after SIGTERM", async () => {
    const replica = await startReplica({ OJM_STORE: await openRedis() });
    expect(await replica.get("/healthz")).toEqual([200, "ok\n"]);
    expect(await replica.get("/readyz")).toEqual([200, "ok\n"]);
    expect((await replica.get("/metrics"))[1]).toContain('cicd_pipeline_name="import-orders"');
    expect((await replica.get("/"))[0]).toBe(404);
    replica.process.kill("SIGTERM");
    expect(await replica.ended, replica.output.stderr).toBe(0);
  });

  it("three replicas of the example service run each tick once while they are killed and deployed, and one sends each alert", {
    tags: ["full"],
  }, async () => {
    const store = await openRedis();
    const { url, alerts } = await webhook();
    const env = { OJM_STORE: store, WEBHOOK: url, IMPORT_EVERY: "2s" };
    const replicas = new Map<number, Replica>();
    const add = async (): Promise<void> => {
      const replica = await startReplica(env);
      replicas.set(replica.process.pid ?? 0, replica);
    };
    await Promise.all([add(), add(), add()]);
    await using manager = await openJobManager(store);
    await using scheduler = openScheduler(manager);
    /** Ends the replica that runs the import, and starts another one in its place. */
    const endHolder = async (signal: NodeJS.Signals): Promise<void> => {
      let holder: Replica | undefined;
      const find = async (): Promise<Replica | undefined> => {
        const [run] = (await manager.activeRuns()).filter(({ name }) => name === "import-orders");
        holder = replicas.get(run?.holder.pid ?? 0);
        return holder;
      };
      await expect.poll(find).toBeDefined();
      holder?.process.kill(signal);
      expect(await holder?.ended, holder?.output.stderr).toBe(signal === "SIGKILL" ? "SIGKILL" : 0);
      replicas.delete(holder?.process.pid ?? 0);
      await add();
    };
    const statuses = async (): Promise<(string | undefined)[]> =>
      (await runsOf(manager, "import-orders")).map((run) => (run.handedOver ? "handed over" : run.status));

    // The import may end before the signal comes.
    while (!(await statuses()).includes("lost")) await endHolder("SIGKILL");
    while (!(await statuses()).includes("handed over")) await endHolder("SIGTERM");
    await manager.run("broken", () => Promise.reject(new Error("no disk"))).catch(() => {});
    await expect.poll(() => alerts.map(({ name }) => name)).toContain("broken");

    await scheduler.pause("import-orders", { reason: "the test is over" });
    const isOver = async (): Promise<number> =>
      (await manager.heldLocks()).length + (await manager.retries("import-orders")).length;
    await expect.poll(isOver).toBe(0);
    for (const { process, ended, output } of replicas.values()) {
      process.kill("SIGTERM");
      expect(await ended, output.stderr).toBe(0);
    }
    const runs = await runsOf(manager, "import-orders");
    const completed = runs.filter(({ status }) => status === "completed").map(({ tick }) => tick);
    expect(new Set(completed).size).toBe(completed.length);
    // Each interrupted attempt has a next one, which completed.
    const interrupted = runs.filter(({ status }) => status !== "completed").map(({ tick }) => tick);
    expect(completed).toEqual(expect.arrayContaining(interrupted));
    expect(alerts.filter(({ name }) => name === "broken")).toHaveLength(1);
  });
});

describe("the files of the example service", () => {
  const seconds = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

  it("each system waits for the grace, the alerts and two calls of the store before it kills", () => {
    const service = fileOf("service.ts");
    const needed = seconds(service, /GRACE = "(\d+)s"/) + seconds(service, /ALERTS = "(\d+)s"/) + 2 * 5;
    expect(needed).toBeGreaterThan(20);
    const waits = {
      systemd: seconds(fileOf("orders.service"), /^TimeoutStopSec=(\d+)s$/m),
      docker: seconds(fileOf("compose.yaml"), /stop_grace_period: (\d+)s/),
      kubernetes: seconds(fileOf("kubernetes.yaml"), /terminationGracePeriodSeconds: (\d+)/),
    };
    for (const [system, wait] of Object.entries(waits)) expect({ system, wait }).toEqual({ system, wait: 40 });
    expect(needed).toBeLessThanOrEqual(40);
  });

  it("the manifests are YAML, with three replicas, and the image is built by our pnpm", () => {
    const compose = fromYaml(fileOf("compose.yaml")) as { services: { orders: { deploy: unknown } } };
    expect(compose.services.orders.deploy).toEqual({ replicas: 3 });
    const kubernetes = fromYaml(fileOf("kubernetes.yaml")) as { spec: { replicas: number } };
    expect(kubernetes.spec.replicas).toBe(3);
    expect(fileOf("Dockerfile")).toContain(`npx --yes ${PNPM} `);
    expect(readFileSync(PAGE, "utf8")).toContain(`npx ${PNPM} `);
  });

  it("what the page Run as a service shows of the files is in them", () => {
    const files = readdirSync(FOLDER).filter((name) => /\.(ts|yaml|service)$/.test(name));
    const shown = [...readFileSync(PAGE, "utf8").matchAll(/^```(?:typescript|ini|yaml)\n([\s\S]*?)^```$/gm)];
    expect(shown.length).toBeGreaterThan(3);
    for (const [, excerpt = ""] of shown)
      expect(
        files.some((name) => fileOf(name).includes(excerpt)),
        excerpt,
      ).toBe(true);
  });
});
