import { expect, test } from "vitest";
import { runText } from "../testing/run-file.js";

test("the jobs of `shutdown` run once all others are done, in their order", async () => {
  const yaml = `ojob: { shutdown: [Clean, Report], numThreads: 1 }
jobs:
  - { name: A, exec: "log('A')" }
  - { name: Clean, exec: "log('clean')" }
  - { name: Report, exec: "log('report')" }
todo: [A]
`;
  expect((await runText(yaml)).lines).toEqual(["A", "clean", "report"]);
});

test("`shutdown` must name jobs that can run at the end", async () => {
  const wrong = (more: string): string => `ojob: { shutdown: B }
jobs:
  - { name: A, exec: "1" }
${more}todo: [A]
`;
  await expect(runText(wrong(""))).rejects.toThrow(/names the job "B", which does not exist/);
  const periodic = "  - { name: B, typeArgs: { cron: '* * * * *' }, exec: '1' }\n";
  await expect(runText(wrong(periodic))).rejects.toThrow(/"shutdown" names the job "B", whose type is periodic/);
});
