import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { Ojm } from "./testing/ojm.js";

/** A pid namespace with its own /proc, as in a container without an init process. */
const NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
const mayUnshare = spawnSync("unshare", [...NAMESPACE.slice(1), "true"]).status === 0;

function asFirstProcess(yaml: string): Ojm {
  const ojm = new Ojm(folderWith({ "a.yaml": yaml }), ["run", "a.yaml"], process.env, NAMESPACE);
  onTestFinished(() => void ojm.process.kill("SIGKILL"));
  return ojm;
}

/** A shell job, and a job after it. */
const jobs = (script: string, more = ""): string => `
jobs:
  - name: A
    lang: shell
    ${more}
    exec: |
      ${script}
  - { name: B, exec: print("next") }
ojob: { grace: 200 }
todo: [A, B]
`;

describe.runIf(mayUnshare)("ojm as the first process of a container", () => {
  test("a shell job that leaves a process behind ends, though no process reaps that one", async () => {
    const ojm = asFirstProcess(jobs("sleep 1000 > /dev/null 2>&1 &"));
    expect(await ojm.ended).toMatchObject({ code: 0, out: expect.stringContaining("next") });
  });

  test("the timeout of a shell job ends a pipe that is still running", async () => {
    const script = "(sleep 1000; echo a) | cat; echo b";
    const { code, out, err } = await asFirstProcess(jobs(script, "typeArgs: { timeout: 500 }")).ended;
    expect(code).toBe(1);
    expect(err).toContain("took longer than its timeout of 500 ms");
    expect(out).toContain("next");
  });

  test("SIGTERM ends it while a shell job has processes of its own", async () => {
    const ojm = asFirstProcess(jobs("(echo up; sleep 1000; echo a) | cat; echo b"));
    await ojm.prints("up");
    // The signal is for ojm itself, the only child of unshare.
    const { pid } = ojm.process;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")), "SIGTERM");
    expect((await ojm.ended).code).toBe(143);
  });
});
