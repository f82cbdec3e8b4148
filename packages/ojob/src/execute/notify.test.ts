import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { startReceiver } from "../../../alerts/src/testing/http-server.js";
import { checkJobFile, JobFileError } from "../index.js";
import { runText } from "../testing/run-file.js";

/** A job file that fails under a lock, with these rules. */
const file = (notify: string, more = "", exec = "throw 'the disk is full'"): string => `include: [oJobManager.yaml]
ojob:
  notify:
${notify.replace(/^/gm, "    ")}
${more}
jobs:
  - name: Init
    to: oJobManager Init
    args: { chJobs: &db { type: sqlite, args: { file: ./jobs.db } }, chLocks: *db }
  - name: Job
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: import }
    exec: |
      ${exec}
todo: [Init, Job]
`;

async function found(yaml: string): Promise<string[]> {
  try {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), {});
    return warnings.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.column} ${message}`);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.column} ${message}`);
  }
}

describe("ojob.notify", () => {
  test("delivers what the runs of the file caused, before the file ends", async () => {
    const { url, received } = await startReceiver();
    process.env["OJM_TEST_HOOK"] = url;
    process.env["OJM_TEST_PATH"] = "s3cret-path";
    const rule = `- { on: [failed], jobs: "imp*", to: { webhook: "\${OJM_TEST_HOOK}/{{path}}" } }`;
    const ran = await runText(file(rule, "  secrets: { path: { env: OJM_TEST_PATH } }"));
    expect(ran.well).toBe(false);
    expect(received.map(({ path }) => path)).toEqual(["/s3cret-path"]);
    const { type, data } = JSON.parse(received[0]?.body ?? "");
    expect([type, data.name]).toEqual(["run.failed", "import"]);
    expect(data.error).toContain("the disk is full");
    expect(`${ran.out}${ran.err}`).not.toContain("wait in the store");
  });

  test("a command begins at the folder of the file", async () => {
    const script = "#!/bin/sh\ncat > $(dirname $0)/told.json\n";
    const yaml = file("- { on: failed, to: { command: [./bin/tell.sh] } }");
    const folder = folderWith({ "jobs.yaml": yaml, "bin/tell.sh": script });
    chmodSync(join(folder, "bin/tell.sh"), 0o755);
    const include = `include: ["${folder}/jobs.yaml"]\n`;
    await runText(include);
    expect(JSON.parse(readFileSync(join(folder, "bin/told.json"), "utf8"))).toMatchObject({ kind: "failed" });
  });

  test("with a url, an alert has the link to its run", async () => {
    const { url, received } = await startReceiver();
    process.env["OJM_TEST_UI"] = "https://ops.example.com/ojm/";
    const rules = `rules: [{ on: failed, to: { webhook: "${url}" } }]`;
    await runText(file(`url: "\${OJM_TEST_UI}"\n${rules}`));
    const { data } = JSON.parse(received[0]?.body ?? "{}");
    expect(data.link).toBe(`https://ops.example.com/ojm/runs/${encodeURIComponent(data.run)}`);
  });

  test("a receiver that is down causes a warning, and the next process delivers", async () => {
    const receiver = await startReceiver();
    receiver.answer = (response) => void response.writeHead(503).end();
    const yaml = file(`- { on: failed, to: { webhook: "${receiver.url}" } }`);
    const ran = await runText(yaml);
    expect(ran.out).toMatch(/WARN {2}\| 1 alert waits in the store/);
    expect(receiver.received).toHaveLength(1);
  });

  test("a wrong rule starts nothing, and a store that cannot keep alerts fails Init", async () => {
    const wrong = runText(file("- on: failed\n  to: { webhook: nowhere }"));
    await expect(wrong).rejects.toThrow(/jobs\.yaml:5:\d+: error: notify\[0\]\.to\.webhook must be an address/);
  });

  test("a variable or a secret that is missing is an error at its place when the file is run", async () => {
    const rule = "- on: failed\n  to: { slack: '${OJM_TEST_NOWHERE}' }";
    await expect(runText(file(rule))).rejects.toThrow(
      /jobs\.yaml:5:\d+: error: nothing fills \$\{OJM_TEST_NOWHERE\} in "notify"/,
    );
    expect(await found(file(rule))).toEqual([]);
  });
});

describe("whose rules count", () => {
  test("the rules of a file replace those of the files that it includes", async () => {
    const [own, other] = [await startReceiver(), await startReceiver()];
    const folder = folderWith({ "base.yaml": file(`- { on: [failed], to: { webhook: "${other.url}" } }`) });
    const rule = `{ on: [failed], to: { webhook: "${own.url}" } }`;
    await runText(`include: ["${folder}/base.yaml"]\nojob: { notify: [${rule}] }\n`);
    expect([own.received.length, other.received.length]).toEqual([1, 0]);
    await runText(`include: ["${folder}/base.yaml"]\nojob: { notify: [] }\n`);
    expect([own.received.length, other.received.length]).toEqual([1, 0]);
  });

  test("those of a file that a job runs have no effect, and a warning says so", async () => {
    const receiver = await startReceiver();
    const inner = file(`- { on: [failed], to: { webhook: "${receiver.url}" } }`);
    const yaml = "jobs: [{ name: A, type: jobs, typeArgs: { file: inner.yaml } }]\ntodo: [A]\n";
    const ran = await runText(yaml, {}, { "inner.yaml": inner });
    expect(ran.err).toMatch(/warning: "notify" of .*inner\.yaml has no effect/);
    expect(receiver.received).toEqual([]);
  });
});

describe("ojm check finds in notify", () => {
  test.each([
    ["- { on: fail, to: { slack: https://a } }", /^error 4:13 "on" must be one of started, completed/],
    ["- { on: failed, to: { slak: https://a } }", /^error 4:\d+ unknown key "slak" in "to"\. Did you mean "slack"\?$/],
    [
      "- { on: failed, aftr: 2, to: { slack: https://a } }",
      /^error 4:\d+ unknown key "aftr".* Did you mean "after"\?$/,
    ],
    ["- { on: failed }", /^error 4:\d+ this item of "notify" has no "to"\.$/],
    ["- { on: failed, to: {} }", /^error 4:\d+ notify\[0\]\.to must have exactly one of: webhook/],
    [
      "- { on: failed, to: { slack: https://a, webhook: https://b } }",
      /^error 4:\d+ notify\[0\]\.to must have exactly one/,
    ],
    ["- { on: failed, to: { slack: a } }", /^error 4:34 notify\[0\]\.to\.slack must be an address/],
    ["- { on: long, to: { slack: https://a } }", /^error 4:\d+ notify\[0\]: "long" needs longer/],
    ["- { on: completed, after: 2, to: { slack: https://a } }", /^error 4:31 notify\[0\]: after counts runs/],
    ["rules: [{ on: failed, to: { slack: https://a } }]\nurl: nowhere", /^error 5:10 "notify": url must be an address/],
    ["url: https://a", /^error 4:5 "notify" has no "rules"\.$/],
    ["rules: [{ on: failed, to: { slack: https://a } }]\nevery: 5", /^error 5:5 unknown key "every" in "notify"/],
    ["5", /^error 4:5 "notify" must be a list or a map, not 5\.$/],
    ["- { on: failed, to: { command: [./none.sh] } }", /^error 4:\d+ there is no file \.\/none\.sh beside/],
    [
      "- { on: failed, to: { slack: https://a } }\n- { on: failed, to: { slack: https://a } }",
      /^error 5:\d+ notify\[1\] is the same as notify\[0\]/,
    ],
  ])("%s", async (rule, message) => {
    expect(await found(file(rule))).toEqual([expect.stringMatching(message)]);
  });

  test("nothing wrong in a url that differs in a variable that is not set here", async () => {
    expect(await found(file("url: '${OJM_A}'\nrules: [{ on: failed, to: { slack: https://a } }]"))).toEqual([]);
  });

  test("nothing wrong in two rules that differ in a variable that is not set here", async () => {
    const rules = "- { on: failed, to: { slack: '${OJM_A}' } }\n- { on: failed, to: { slack: '${OJM_B}' } }";
    expect(await found(file(rules))).toEqual([]);
  });

  test("rules of a file without managed jobs", async () => {
    const yaml =
      "ojob: { notify: [{ on: failed, to: { slack: https://a } }] }\njobs: [{ name: A, exec: print(1) }]\ntodo: [A]\n";
    expect(await found(yaml)).toEqual([
      expect.stringMatching(/^warning 1:\d+ "notify" reports the runs of the job manager/),
    ]);
  });
});
