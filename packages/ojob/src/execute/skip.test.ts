import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.js";
import { load } from "../testing/load.js";
import { runText } from "../testing/run-file.js";

function warningsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.list.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

/** A job whose first step may skip it. */
function skipping(code: string, more = ""): string {
  return `include: oJobManager.yaml
jobs:
  - { name: Check, exec: ${JSON.stringify(code)} }
  - name: Work
    from: [oJobManager Job Start, Check]
    to: [After, oJobManager Job End]
    catch: log("caught " + exception.message)
    args: { name: work }
    exec: log("work")
    ${more}
  - { name: After, exec: log("after") }
  - name: Show
    exec: |
      const [run] = $ch("oJobManager-jobs").getAll();
      log([run.status, run.error, run.inError].join(", "));
todo: [Work, Show]
`;
}

describe("job.skip(reason)", () => {
  test("a step ends the job as skipped: no further step and no catch runs, and the file continues", async () => {
    const { well, lines, err } = await runText(skipping('log("check"); job.skip("nothing to do"); log("never")'));
    expect([well, lines]).toEqual([true, ["check", "skipped, nothing to do, false"]]);
    expect(err).toMatch(/^-- Work: skipped, nothing to do$/m);
    expect(err).not.toMatch(/^<< Work/m);
  });

  test("return ends its own step only", async () => {
    const { lines } = await runText(skipping('log("check"); return; log("never")'));
    expect(lines).toEqual(["check", "work", "after", "completed, , false"]);
  });

  test("a script that catches everything does not undo it", async () => {
    const { lines } = await runText(skipping('try { job.skip("no") } catch (e) { log("swallowed") }'));
    expect(lines).toEqual(["swallowed", "skipped, no, false"]);
  });

  test("without a reason, the log says who skipped it", async () => {
    const { err } = await runText("jobs: [{ name: A, exec: job.skip() }]\ntodo: [A]\n");
    expect(err).toMatch(/^-- A: skipped, its script said so$/m);
  });

  test("in a catch it is an error: the job has failed already", async () => {
    const { well, err } = await runText("jobs: [{ name: A, exec: throw 1, catch: job.skip('x') }]\ntodo: [A]\n");
    expect(well).toBe(false);
    expect(err).toMatch(/job\.skip\(\) in a catch: the job has failed already/);
  });

  test("$job throws that the job was skipped, with the reason", async () => {
    const yaml = `jobs:
  - { name: A, exec: "try { $job('B') } catch (e) { log(e.message) }" }
  - { name: B, exec: job.skip("not today") }
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(['"B" was skipped: not today']);
  });

  test("of several args, only the run that says so is skipped", async () => {
    const yaml = `jobs:
  - name: A
    args: [{ n: 1 }, { n: 2 }]
    exec: "if (args.n == 1) job.skip('one'); log(args.n)"
todo: [A]
`;
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([true, ["2"]]);
    expect(err).toMatch(/^-- A: skipped, one$/m);
  });

  test("an item of each that is skipped leaves the others alone", async () => {
    const yaml = `jobs:
  - { name: A, each: [I], exec: "return [{ n: 1 }, { n: 2 }]", to: End }
  - { name: I, exec: "if (args.n == 1) job.skip('one'); log(args.n)" }
  - { name: End, exec: log("end") }
todo: [A]
`;
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([true, ["2", "end"]]);
    expect(err).toMatch(/^-- I: skipped, one$/m);
  });
});

describe("return in a job that others use in from", () => {
  const used = (code: string, key = "from"): string =>
    `jobs:\n  - name: Check\n    exec: |\n      ${code}\n  - { name: Work, ${key}: Check }\ntodo: [Work]\n`;

  test("the check warns at the return, and names job.skip(reason)", () => {
    expect(warningsOf(used("if (args.off) return; log('on')"))).toEqual([
      '4:21 "return" ends only this step: "Work" continues after it. (In OpenAF it ends "Work".) To end "Work" here, ' +
        "write job.skip(reason).",
    ]);
  });

  test.each([
    ["in a function of the script", used("[1].map(() => { return 1 })")],
    ["of a job that is used in to", used("return", "to")],
    ["that is only a word in a text", used("log('return')")],
    ["of a shell script", used("return").replace("exec", "lang: shell\n    exec")],
  ])("no warning for a return %s", (_, yaml) => {
    expect(warningsOf(yaml)).toEqual([]);
  });
});
