import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import type { Outcome } from "../deliver/outcome.js";
import { example } from "../testing/example.js";
import { send } from "./receivers.js";

const deliver = (
  command: readonly string[],
  deadline?: number,
  signal = new AbortController().signal,
): Promise<Outcome> =>
  send({ command, ...(deadline !== undefined && { deadline }) }, example, { signal, now: Date.now() });

const script = (code: string, ...args: string[]): string[] => [process.execPath, "-e", code, ...args];

test("a command gets the alert on its standard input, its id in the environment, and its arguments as they are", async () => {
  const file = join(temporaryFolder(), "out");
  const code =
    "const fs = require('node:fs');" +
    "const [, file, ...args] = process.argv;" +
    "fs.writeFileSync(file, JSON.stringify({ id: process.env.OJM_ALERT_ID, args, alert: JSON.parse(fs.readFileSync(0)) }))";
  expect(await deliver(script(code, file, "$(id)", "a b"))).toEqual({ type: "taken" });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ id: example.id, args: ["$(id)", "a b"], alert: example });
});

test("a command that prints a lot and reads nothing takes the alert if it ends with 0", async () => {
  expect(await deliver(script("process.stdout.write('x'.repeat(1e6))"))).toEqual({ type: "taken" });
});

test("a command that fails is reported with its exit code alone", async () => {
  const outcome = await deliver(script("console.error('s3cret'); process.exit(3)", "s3cret"));
  expect(outcome).toEqual({ type: "refused", why: "the command ended with 3" });
});

test("a missing command is reported with the code of the error", async () => {
  expect(await deliver(["/nowhere/s3cret"])).toEqual({
    type: "refused",
    why: "the command could not be run with ENOENT",
  });
});

test("a command is killed at its deadline, even if it ignores signals", async () => {
  const file = join(temporaryFolder(), "out");
  const code =
    "process.on('SIGTERM', () => {}); require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)";
  const outcome = await deliver(script(code, file), 1_500);
  expect(outcome).toEqual({ type: "refused", why: "the command took longer than 1.5 s" });
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8"));
  await expect.poll(() => isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
