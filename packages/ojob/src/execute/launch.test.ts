import { describe, expect, test } from "vitest";
import { runText } from "../testing/run-file.js";

/** A job `L` with this script, which launches others. */
function launcher(code: string, more = "", settings = ""): string {
  return `include: oJobManager.yaml
ojob: { ${settings} }
jobs:
  - name: L
    exec: |
${code
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n")}
${more}
todo: [L]
`;
}

const launch = (name: string, args = "{}"): string => `global.oJobManagerLaunchJob("${name}", ${args})`;

describe("a launched job", () => {
  test("a launched job runs beside the job that launches it, which gets an id at once", async () => {
    const code = `$ch("c").create();
const id = ${launch("W", "{ x: 7 }")};
while (isUnDef($ch("c").get("x"))) sleep(5);
log(id + " " + $ch("c").get("x").value);`;
    const { well, lines } = await runText(launcher(code, `  - { name: W, exec: '$ch("c").set("x", args.x)' }`));
    expect([well, lines]).toEqual([true, ["W#2 7"]]);
  });

  test("a launched job is never dropped: the run ends after all launched jobs, and those that they launch", async () => {
    const more = `  - { name: W, exec: 'if (args.n > 0) ${launch("W", "{ n: args.n - 1 }")}; sleep(20); log(args.n)' }`;
    const { well, lines } = await runText(launcher(launch("W", "{ n: 5 }"), more));
    // A job that launches the next one continues beside it.
    expect([well, lines.toSorted()]).toEqual([true, ["0", "1", "2", "3", "4", "5"]]);
  });

  test("a launched job that fails makes the run fail, not the job that launched it", async () => {
    const code = `${launch("W")}; log("on")`;
    const { well, lines, err } = await runText(launcher(code, `  - { name: W, exec: "throw new Error('broken')" }`));
    expect([well, lines]).toEqual([false, ["on"]]);
    expect(err).toMatch(/job "W" failed: broken/);
  });

  test("a launch of a job that does not exist throws, with the nearest name", async () => {
    const code = `try { ${launch("Wrok")} } catch (e) { log(e.message) }`;
    const { well, lines } = await runText(launcher(code, "  - { name: Work, exec: log(1) }"));
    expect([well, lines]).toEqual([true, ['there is no job "Wrok". Did you mean "Work"?']]);
  });

  test("a launched job is recorded as launched, and its args fill the name of its lock", async () => {
    const more = `  - name: W
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: "launched-{{id}}" }
    exec: log($ch("oJobManager-jobs").getAll().filter(r => r.name == args.name)[0].trigger)`;
    expect((await runText(launcher(launch("W", "{ id: 1 }"), more))).lines).toEqual(["launch"]);
  });
});

describe("launched jobs that depend on each other", () => {
  const etl = `  - { name: Extract, exec: "sleep(30); log('E' + args.n)" }
  - { name: Transform, deps: Extract, exec: "sleep(10); log('T' + args.n)" }
  - { name: Load, deps: [Transform], exec: "log('L' + args.n)" }`;
  const night = (n: number, ...names: string[]): string => names.map((name) => launch(name, `{ n: ${n} }`)).join(";\n");

  test("launched jobs run in the order of their dependencies, whatever the order of the launches", async () => {
    const { well, lines } = await runText(launcher(night(1, "Load", "Transform", "Extract"), etl));
    expect([well, lines]).toEqual([true, ["E1", "T1", "L1"]]);
  });

  test("launched jobs wait for dependencies launched in the same night, not for those of the night before", async () => {
    const code = `${night(1, "Extract", "Transform", "Load")};
while (isUnDef($get("done"))) sleep(5);
${night(2, "Extract", "Transform", "Load")};`;
    const more = etl.replace("log('L' + args.n)", "log('L' + args.n); $set('done', 1)");
    const { well, lines } = await runText(launcher(code, more));
    expect([well, lines]).toEqual([true, ["E1", "T1", "L1", "E2", "T2", "L2"]]);
  });

  test("launched jobs are skipped when the job that they depend on failed, and the reason is printed", async () => {
    const more = etl.replace("log('E' + args.n)", "throw new Error('no data')");
    const { well, lines, err } = await runText(launcher(night(1, "Extract", "Transform", "Load"), more));
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "Transform" was skipped: it depends on "Extract", which failed/);
    expect(err).toMatch(/job "Load" was skipped: it depends on "Transform", which was skipped/);
  });

  test("a launched job is skipped when the job that it depends on is never launched", async () => {
    const { well, err } = await runText(launcher(night(1, "Load"), etl));
    expect(well).toBe(false);
    expect(err).toMatch(/job "Load" was skipped: it depends on "Transform", which was never requested/);
  });
});
