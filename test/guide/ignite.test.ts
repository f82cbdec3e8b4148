/**
 * The example of several processes in the guide, with the processes.
 * @module-tag full
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { start } from "../../packages/cli/src/testing/ojm.js";
import { NO_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { blocksByHeading, replaced, stores } from "./stage.js";

const block = blocksByHeading().get("Pattern 3: Distributed Channel Storage");

/** The executing process runs until the others have given up. */
const FUNCTIONS = `
  var fs = require("fs");
  function getOrders() { return [1, 2]; }
  function processOrder(order) { while (!fs.existsSync("go")) sleep(20); log("order " + order); }`;

if (block === undefined) it.skip(`the guide, on several machines: ${NO_GUIDE}`, () => {});
else describe("the guide, on several machines", declare);

function declare(): void {
  it("as printed, with a backend that is not there, runs nothing and says once for each channel what can stand in", async () => {
    const folder = folderWith({ "jobs.yaml": block?.text ?? "", "functions.js": FUNCTIONS, go: "" });
    const { code, out, err } = await start(folder, "run", "jobs.yaml", "--load", "functions.js").ended;
    expect(code).toBe(2);
    expect(out).not.toContain("Processing orders");
    const told = [...err.matchAll(/^jobs\.yaml:(\d+):\d+: error: .*"ignite".*use redis or etcd/gm)];
    expect(told.map(([, line]) => block?.text.split("\n")[Number(line) - 1]?.trim())).toEqual(
      Array(2).fill('type: "ignite"'),
    );
  });

  for (const store of stores.filter(({ name }) => name === "redis" || name === "etcd")) {
    it.skipIf(store.missing !== undefined)(
      `of three processes on ${store.name} one executes, and the others say who it is${store.missing ? `: ${store.missing}` : ""}`,
      async () => {
        if (block === undefined) return;
        const { chJobs, chLocks } = await store.open();
        const [jobs, locks] = [chJobs, chLocks].map(
          ({ type, args }) => `{ type: ${type}, args: ${JSON.stringify(args)} }`,
        );
        const grid = (cache: string) =>
          `\n        type: "ignite"\n        args:\n          gridName: "jobGrid"\n          cacheName: "${cache}"`;
        const text = replaced(block, [
          [grid("jobs"), ` ${jobs}`],
          [grid("locks"), ` ${locks}`],
        ]);
        const folder = folderWith({ "jobs.yaml": text, "functions.js": FUNCTIONS });
        const instances = [1, 2, 3].map(() => start(folder, "run", "jobs.yaml", "--load", "functions.js"));
        const losers: number[] = [];
        for (const { ended } of instances) void ended.then(({ code }) => losers.push(code ?? -1));
        await expect.poll(() => losers).toEqual([1, 1]);
        writeFileSync(join(folder, "go"), "");
        const all = await Promise.all(instances.map(({ ended }) => ended));
        expect(all.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
        expect(all.filter(({ out }) => out.includes("order 2"))).toHaveLength(1);
        const winner = instances.find(({ process }) => process.exitCode === 0)?.process.pid;
        for (const { code, err } of all) {
          if (code === 1) expect(err).toContain(`pid ${winner}`);
        }
      },
      120_000,
    );
  }
}
