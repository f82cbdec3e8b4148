import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { ojm } from "../testing/ojm.js";
import { hasTerminals, Terminal } from "../testing/terminal.js";

const JOBS = `
jobs:
  - name: Long
    exec: |
      print("first\\nsecond");
      job.progress(3, 10, "orders");
      while (!job.signal.aborted) sleep(50, true);
todo: [Long]
`;

describe.skipIf(!hasTerminals())("ojm run on a terminal", () => {
  test("shows the job at work with its time and progress below its output, and nothing of it in the end", async () => {
    const terminal = new Terminal(folderWith({ "jobs.yaml": JOBS }), 80, ["run", "jobs.yaml"]);
    await terminal.shows(/second\r\n[\s\S]*Long 0:0\d \[######-{14}\] 30% 3\/10 orders/);
    await terminal.shows(/Long 0:0[1-9] \[/);
    terminal.type("\u0003");
    expect(await terminal.ended).toBe(130);
    const last = terminal.out.lastIndexOf("Long 0:");
    if (last >= 0) expect(terminal.out.slice(last)).toContain("\u001b[K");
  });

  test("an error of ojm stands on a line of its own", async () => {
    const terminal = new Terminal(folderWith({ "jobs.yaml": JOBS }), 80, ["run", "jobs.yaml"]);
    await terminal.shows(/3\/10 orders/);
    terminal.kill("SIGUSR2");
    expect(await terminal.ended).toBe(1);
    expect(terminal.out).toContain("\u001b[Kojm: a fault of a test");
  });
});

describe("ojm run off a terminal", () => {
  const file = `
jobs:
  - name: One
    exec: |
      printnl("half");
      print(" whole");
      print("two\\nlines");
      log("logged");
      printnl("no end");
todo: [One]
`;

  test("writes what jobs print as it is", async () => {
    const { out } = await ojm(folderWith({ "jobs.yaml": file }), "run", "jobs.yaml");
    expect(out).toMatch(/^half whole\ntwo\nlines\n\S+ \| INFO {2}\| logged\nno end$/);
  });

  test("with --log-prefix, each whole line names its job", async () => {
    const { out } = await ojm(folderWith({ "jobs.yaml": file }), "run", "jobs.yaml", "--log-prefix", "job");
    expect(out).toMatch(
      /^\[One\] half whole\n\[One\] two\n\[One\] lines\n\[One\] \S+ \| INFO {2}\| logged\n\[One\] no end\n$/,
    );
  });

  test("a prefix that there is not is refused with those that there are", async () => {
    expect(await ojm(folderWith({ "jobs.yaml": file }), "run", "jobs.yaml", "--log-prefix", "x")).toMatchObject({
      code: 2,
      err: 'ojm: --log-prefix is one of none, job, time, both, not "x"\n',
    });
  });
});
