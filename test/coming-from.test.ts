/**
 * The pages for those who change from another library show a program before and after. test/readme.test.ts
 * runs the one after; this file runs the one before, with the library itself. Both print the same.
 * @module-tag full
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { snippets } from "../scripts/lib/snippets.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REDIS = "redis://localhost:6379";

/** The page, the program before, and what the program after it prints. */
interface Before {
  readonly page: string;
  readonly code: string;
  readonly prints: string | undefined;
}

/** The pages whose program before is one of JavaScript. Those of cron and of OpenAF have none. */
function programs(): Before[] {
  const pages = readdirSync(join(ROOT, "docs/how-to")).filter((name) => name.startsWith("coming-from-"));
  return pages.flatMap((name) => {
    const page = `docs/how-to/${name}`;
    const [, code] =
      /^```javascript\n(\/\/ before\.mjs\n.*?)^```$/ms.exec(readFileSync(join(ROOT, page), "utf8")) ?? [];
    return code === undefined
      ? []
      : [{ page, code, prints: snippets(page).findLast(({ program }) => program)?.prints }];
  });
}

async function run({ page, code }: Before): Promise<string> {
  // Beneath this repository, so that the libraries are found from there.
  const folder = join(ROOT, "node_modules/.ojm/coming-from", page.replaceAll("/", "-"));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let actual = REDIS;
  if (code.includes(REDIS)) {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    actual = server.url;
  }
  writeFileSync(join(folder, "before.mjs"), code.replaceAll(REDIS, actual));
  const child = spawn(process.execPath, ["before.mjs"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [printed, errors, ended] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  expect(ended, errors).toEqual([0, null]);
  return printed;
}

describe("a program for another library", () => {
  const all = programs();

  it("is on the page of each library", () => {
    const names = all.map(({ page }) => /coming-from-(.*)\.md$/.exec(page)?.[1]);
    expect(names).toEqual(expect.arrayContaining(["agenda", "bree", "bullmq", "cron-package", "node-cron"]));
  });

  const missing = whyMissing("redis-server");
  for (const before of all) {
    const why = before.code.includes(REDIS) ? missing : undefined;
    it.skipIf(why !== undefined)(`that of ${before.page} prints what the program after it prints`, async () => {
      expect(before.prints).toBeDefined();
      expect(await run(before)).toBe(before.prints);
    });
  }
});
