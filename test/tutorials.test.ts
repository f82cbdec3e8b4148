import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { whyMissing } from "@ojm/testing/redis";
import { describe, it, onTestFinished } from "vitest";
import { hasTerminals } from "../packages/cli/src/testing/terminal.js";
import { onFreePorts, releasePort } from "../packages/conformance/src/proxy/free-port.js";
import { follow } from "./support/tutorial.js";

/*
 * The tutorials, and the page Ways in, are done as written, on real terminals. `npm test` does the first
 * steps of one.
 */

const PAGES = fileURLToPath(new URL("../docs/tutorials", import.meta.url));

const names = readdirSync(PAGES).filter((name) => name !== "README.md");

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

/** The url of the reader's database. */
async function withUrl(): Promise<Readonly<Record<string, string>>> {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  return { "postgres://postgres:secret@127.0.0.1:5432/postgres": server.url };
}

describe.skipIf(!hasTerminals())("the tutorials, as written", () => {
  it("the first steps of the tutorial never-overlaps.md do what it says", async () => {
    await follow("docs/tutorials/never-overlaps.md", { until: "1 waits for count", replace: {} });
  });

  it("the page with an example of each way in does what it says", { tags: ["full"] }, async () => {
    await follow("docs/start/ways-in.md");
  });

  for (const name of names) {
    const needsRedis = name === "schedule-on-three-machines.md";
    const needsPostgres = name === "fence-in-postgres.md";
    const missing = needsRedis ? whyMissing("redis-server") : needsPostgres ? postgresMissing() : undefined;
    const title = `${name}${missing === undefined ? "" : `: ${missing}`}`;
    const page = `docs/tutorials/${name}`;

    it.skipIf(missing !== undefined)(`the whole tutorial ${title} does what it says`, { tags: ["full"] }, async () => {
      await follow(page, { replace: needsRedis ? await withPort() : needsPostgres ? await withUrl() : {} });
    });
  }
});
