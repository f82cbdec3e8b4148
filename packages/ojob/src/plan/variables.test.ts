import { expect, test } from "vitest";
import { runText } from "../testing/run-file.js";

function withArg(text: string, more = "{}"): string {
  return `jobs:
  - name: Job
    args:
      x: ${JSON.stringify(text)}
    exec: |
      print(stringify({ x: args.x }, undefined, ""))
todo: [{ name: Job, args: ${more} }]
`;
}

process.env["OJM_TEST_SET"] = "set";
process.env["OJM_TEST_EMPTY"] = "";

test.each([
  ["${OJM_TEST_SET}/a", '{"x":"set/a"}'],
  ["${n}", '{"x":1}'],
  ["${map.list.0}-${n}", '{"x":"b-1"}'],
  ["${OJM_TEST_NONE:-d e}", '{"x":"d e"}'],
  ["a${OJM_TEST_EMPTY:-d}", '{"x":"ad"}'],
  ["a${OJM_TEST_EMPTY}", '{"x":"a"}'],
  ["$${n} \\${n}", '{"x":"${n} ${n}"}'],
  ["${a + b} ${n#x}", '{"x":"${a + b} ${n#x}"}'],
  ["{{n}} ${brace}", '{"x":"1 {{n}}"}'],
  ["a${OJM_TEST_NONE}", '{"x":"a"}'],
  ["${OJM_TEST_NONE}", "{}"],
])(
  "as OpenAF: a variable in args is filled from another argument, and else from the environment: %s",
  async (text, shown) => {
    const { out, err } = await runText(withArg(text), { args: { n: 1, map: { list: ["b"] }, brace: "{{n}}" } });
    expect(
      out.split("\n").filter((line) => !line.includes(" | WARN")),
      err,
    ).toEqual([shown, ""]);
  },
);

test("a variable without a value or a default is a warning", async () => {
  const { lines } = await runText(withArg("a${OJM_TEST_NONE}"));
  expect(lines).toEqual(['nothing fills ${OJM_TEST_NONE} in the argument "x" of the job "Job".']);
});

test("a ${x:?message} without a value ends with that message and its place, and starts nothing", async () => {
  const text = withArg("${OJM_TEST_NONE:?tell me where}");
  await expect(runText(text)).rejects.toThrow(/jobs\.yaml:4:10: error: tell me where\. Set OJM_TEST_NONE in the/);
  expect((await runText(withArg("${OJM_TEST_SET:?where}"))).out).toBe('{"x":"set"}\n');
  expect((await runText(text, { args: { OJM_TEST_NONE: "here" } })).out).toBe('{"x":"here"}\n');
});

test("a ${x:?message} of a launched job fails that job at its place", async () => {
  const yaml = withArg("${OJM_TEST_NONE:?tell me}").replace("todo: [{ name: Job, args: {} }]", "todo: [Go]");
  const go = "jobs:\n  - { name: Go, exec: \"oJobManagerLaunchJob('Job')\" }";
  const { well, err } = await runText(yaml.replace("jobs:", go));
  expect(well).toBe(false);
  expect(err).toMatch(/job "Job" failed: tell me\. .*jobs\.yaml:5:10/);
});

test("a lock name with a variable without a value is refused: all runs would share one lock", async () => {
  const yaml = `include: oJobManager.yaml
jobs: [{ name: Job, from: oJobManager Job Start, args: { name: "n-\${OJM_TEST_NONE}" }, exec: print(1) }]
todo: [Job]
`;
  await expect(runText(yaml)).rejects.toThrow(/nothing fills \$\{OJM_TEST_NONE\} in the name of the lock/);
});
