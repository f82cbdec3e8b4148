import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { hasTerminals } from "../packages/cli/src/testing/terminal.js";
import { onFreePorts, releasePort } from "../packages/conformance/src/proxy/free-port.js";
import { follow } from "./support/tutorial.js";

/*
 * The tutorials are done as written, on real terminals. `npm test` does the first steps of each, and `npm run
 * test:all` the whole.
 */

const PAGES = fileURLToPath(new URL("../docs/tutorials", import.meta.url));

/** The output up to which `npm test` does each page. */
const firstSteps: Readonly<Record<string, string>> = {
  "never-overlaps.md": "1 waits for count",
  "schedule-on-three-machines.md": "the report of",
  "protect-a-crontab-line.md": "exit code 75",
  "job-file.md": "the report of",
};

/** The port of the page's own Redis, which is another one for each test. */
async function withPort(): Promise<Readonly<Record<string, string>>> {
  const port = await onFreePorts({}, async (free = 0) => free);
  onTestFinished(() => {
    // The page ends its server. After a failed test nothing else would: Redis ignores a hangup.
    try {
      execFileSync("redis-cli", ["-p", `${port}`, "shutdown", "nosave"], { stdio: "ignore" });
    } catch {}
    releasePort(port);
  });
  return { "6390": `${port}` };
}

it("every tutorial is done by a test", () => {
  const pages = readdirSync(PAGES).filter((name) => name !== "README.md");
  expect(pages.sort()).toEqual(Object.keys(firstSteps).sort());
});

describe.skipIf(!hasTerminals())("the tutorials, as written", () => {
  for (const [name, until] of Object.entries(firstSteps)) {
    const needsRedis = name === "schedule-on-three-machines.md";
    const missing = needsRedis ? whyMissing("redis-server") : undefined;
    const title = `${name}${missing === undefined ? "" : `: ${missing}`}`;
    const page = `docs/tutorials/${name}`;

    it.skipIf(missing !== undefined)(`the first steps of the tutorial ${title} do what it says`, async () => {
      await follow(page, { until, replace: needsRedis ? await withPort() : {} });
    });

    it.skipIf(missing !== undefined)(`the whole tutorial ${title} does what it says`, { tags: ["full"] }, async () => {
      await follow(page, { replace: needsRedis ? await withPort() : {} });
    });
  }
});
