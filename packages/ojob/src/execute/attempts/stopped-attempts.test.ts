import { join } from "node:path";
import { openJobManager, type RunRecord } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { collect } from "../../../../core/src/testing/settle.js";
import type { RunFileOptions } from "../../run.js";
import { runText } from "../../testing/run-file.js";

const STOP = 'process.kill(process.pid, "SIGUSR2")';

function stopping(): Pick<RunFileOptions, "onStart"> {
  return {
    onStart: (control) => {
      process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM"));
    },
  };
}

/** What a job file has left in its store after a stop. */
interface Left {
  readonly records: readonly RunRecord[];
  /** The attempts that wait, each as its number. */
  readonly waiting: readonly number[];
  /** How many of them no process is to make: any may. */
  readonly free: number;
  readonly lines: readonly string[];
}

/** Runs a managed job that is stopped meanwhile. Its locks and records are in a file of SQLite. */
async function stopped(retry: string, exec: string, options: Partial<RunFileOptions> = {}): Promise<Left> {
  const file = join(folderWith({}), "ojm.db");
  const channel = `{ type: sqlite, args: { file: ${JSON.stringify(file)} } }`;
  const yaml = `include: oJobManager.yaml
jobs:
  - name: Init
    to: oJobManager Init
    args: { chJobs: ${channel}, chLocks: ${channel} }
  - name: A
    typeArgs: { retry: ${retry} }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: work }
    exec: |
      ${exec}
todo: [Init, A]
`;
  const { lines, err } = await runText(yaml, { ...stopping(), ...options });
  const store = { type: "sqlite", args: { file } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store });
  const retries = await manager.retries("work");
  return {
    records: await collect(manager.history({ name: "work" })),
    waiting: retries.map(({ attempt }) => attempt),
    free: retries.filter(({ by }) => by === undefined).length,
    lines: [...lines, err],
  };
}

describe("a job file that is stopped", () => {
  test("hands over a job with onLost that stops in time: the same attempt is there for another process", async () => {
    const { records, waiting, free, lines } = await stopped(
      "{ attempts: 2, onLost: true }",
      `${STOP}; try { sleep(60000) } finally { log("cleaned up") }`,
    );
    expect(lines).toContain("cleaned up");
    expect(records).toMatchObject([{ status: "skipped", handedOver: true, inError: false, attempt: 1 }]);
    expect([waiting, free]).toEqual([[1], 1]);
  });

  test("ends a job by force after the grace: its run is lost, and uses an attempt", async () => {
    const { records, waiting } = await stopped("{ attempts: 2, onLost: true }", `${STOP}; for (;;) {}`, { grace: 200 });
    expect(records).toMatchObject([{ status: "lost", attempt: 1 }]);
    expect(waiting).toEqual([2]);
  });

  test("leaves an attempt that waits to any process, and makes none while it is stopped", async () => {
    const { records, waiting, free } = await stopped(
      "{ attempts: 3, delay: 60000 }",
      `setTimeout(() => {}, 0); ${STOP}; throw new Error("broken")`,
    );
    expect(records.map(({ status }) => status)).toEqual(["failed"]);
    expect([waiting, free]).toEqual([[2], 1]);
  });
});
