import { describe, expect, test } from "vitest";
import { runText } from "../testing/run-file.js";

const JOBS = `
  - { name: Say A, exec: 'print("A of " + Object.keys(args).sort().join())' }
  - { name: Say B, exec: 'print("B")' }
  - { name: Say item, exec: 'print("item " + args.n)' }
`;

describe("a job file with jobs of OpenAF runs as it is written", () => {
  test.each([
    ["a", "A of mode\n"],
    ["b", "B\nB\n"],
    ["c", "B\n"],
  ])("ojob options, with the mode %s", async (mode, out) => {
    const yaml = `ojob: { includeOJob: true, logToConsole: false }
include: [ojob.yaml]
jobs:
  - name: Main
    to: ojob options
    args:
      __optionOn: mode
      __todos:
        a: [Say A]
        b: [Say B, Say B]
      __default: Say B
${JOBS}
todo: [Main]
`;
    const ran = await runText(yaml, { args: { mode } });
    expect(ran.err).toBe("");
    expect(ran).toMatchObject({ well: true, out });
  });

  test("ojob set, get, if, repeat, repeat with each and output, in the todo", async () => {
    const yaml = `ojob: { logToConsole: false }
jobs: ${JOBS}
todo:
  - { name: ojob set, args: { __key: k, __path: data, data: { list: [{ n: 1 }, { n: 2 }] } } }
  - { name: ojob repeat with each, args: { __key: k, __path: list, __jobs: Say item } }
  - { name: ojob repeat, args: { __times: '{{times}}', __jobs: [Say B] } }
  - { name: ojob if, args: { __condition: '{{times}} == 2', __then: [{ name: ojob output, args: { __key: k, __format: json } }] } }
`;
    const ran = await runText(yaml, { args: { times: 2 } });
    expect(ran.err).toBe("");
    expect(ran).toMatchObject({ well: true, out: 'item 1\nitem 2\nB\nB\n{"list":[{"n":1},{"n":2}]}\n' });
  });

  test("options that only the caller gives are found when the job runs", async () => {
    const yaml = `ojob: { logToConsole: false }
jobs:
  - { name: Set, exec: '$set("k", { a: { b: "{{x}}" } })' }
  - { name: Show, to: ojob output }
todo: [Set, { name: Show, args: { __key: k, __format: json } }]
`;
    const ran = await runText(yaml, { args: { __path: "a" } });
    expect(ran.err).toBe("");
    expect(ran).toMatchObject({ well: true, out: '{"b":"{{x}}"}\n' });
  });
});
