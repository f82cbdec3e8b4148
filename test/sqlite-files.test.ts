import { rmSync } from "node:fs";
import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";

it.each([
  ["-shm", ["-shm"]],
  ["-wal", ["-wal"]],
  ["-wal and -shm", ["-wal", "-shm"]],
])(
  "if %s of a SQLite file is deleted while a job runs, its holder is stopped before another process can run it",
  async (_, suffixes) => {
    const file = join(temporaryFolder(), "ojm.db");
    const channel = { type: "sqlite", args: { file } };
    const options: JobManagerOptions = { chJobs: channel, chLocks: channel, ttl: 3_000 };
    const events: string[] = [];
    const holder = startChild("obedient.child.ts", [JSON.stringify(options)]);
    const { fence } = await holder.message<{ fence: string }>();
    holder.process.on("message", ({ said }: { said?: string }) => events.push(`holder: ${said}`));

    for (const suffix of suffixes) rmSync(`${file}${suffix}`);
    const contender = startChild("contender.child.ts", [JSON.stringify(options), "job", "1"]);
    let next = "0";
    contender.process.on("message", (report: { type?: string; fence?: string }) => {
      if (report.type === undefined) return;
      events.push(`contender: ${report.type}`);
      next = report.fence ?? "0";
      contender.process.send({});
    });

    expect(await contender.ended, contender.output.stderr).toBe(0);
    expect(await holder.ended, holder.output.stderr).toBe(0);
    expect(events).toEqual(["holder: LOST", "contender: enter", "contender: exit"]);
    expect(BigInt(next)).toBeGreaterThan(BigInt(fence));
  },
  60_000,
);
