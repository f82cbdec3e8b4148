import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { expect, onTestFinished, test } from "vitest";
import { Ojm } from "../../testing/ojm.js";

/** Once the file "block" exists, the main thread is blocked until the file "free" exists. */
const BLOCK = `
import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
const pause = new Int32Array(new SharedArrayBuffer(4));
const look = () => {
  if (existsSync("block")) while (!existsSync("free")) Atomics.wait(pause, 0, 0, 50);
};
if (isMainThread) setInterval(look, 50).unref();
`;

test("a thread keeps the lock of ojm exec on SQLite while its main thread is suspended or busy", async () => {
  const folder = folderWith({ "block.mjs": BLOCK });
  const words = ["exec", "dump", "--store", "sqlite:ojm.db"];
  const command = ["--", "sh", "-c", "while ! test -e done; do sleep 0.1; done"];
  const flags = `${process.env["NODE_OPTIONS"] ?? ""} --import=${join(folder, "block.mjs")}`;
  const busy = new Ojm(folder, [...words, ...command], { ...process.env, NODE_OPTIONS: flags });
  onTestFinished(() => void busy.process.kill("SIGKILL"));
  await using jobs = await openJobManager(`sqlite:${join(folder, "ojm.db")}`);
  await expect.poll(() => jobs.heldLocks()).toMatchObject([{ name: "dump", holder: { pid: busy.process.pid } }]);
  const [lock] = await jobs.heldLocks();
  writeFileSync(join(folder, "block"), "");
  const session = (): Promise<unknown> => jobs.channels.locks.get(["session", lock?.holder.instance ?? ""]);
  await expect.poll(session, { interval: 100 }).toMatchObject({ by: "thread" });
  const other = await new Ojm(folder, [...words, "--", "true"]).ended;
  expect(other).toMatchObject({ code: 75, err: expect.stringContaining("Can't lock to execute job 'dump'") });
  for (const file of ["free", "done"]) writeFileSync(join(folder, file), "");
  expect(await busy.ended).toMatchObject({ code: 0, err: "" });
  expect((await jobs.history({ name: "dump" }).next()).value).toMatchObject({ status: "completed" });
});
