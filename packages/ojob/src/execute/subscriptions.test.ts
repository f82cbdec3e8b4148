import { expect, test } from "vitest";
import { runText } from "../testing/run-file.js";

test("a job of type subscribe runs for each change of its channel, in order, from when it began", async () => {
  const yaml = `jobs:
  - { name: Create, exec: '$ch("c").create(); $ch("c").set("old", 0)' }
  - name: Changes
    type: subscribe
    typeArgs: { chSubscribe: c }
    exec: |
      log([args.ch, args.op, args.k, args.v].join(" "));
      if (args.k === "end") process.kill(process.pid, "SIGUSR2");
  - { name: Write, exec: '$ch("c").set("a", 1); $ch("c").set("a", 2); $ch("c").unset("old"); $ch("c").set("end", 3)' }
todo: [Create, Changes, Write]
`;
  const { lines } = await runText(yaml, {
    onStart: (control) => void process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM")),
  });
  expect(lines).toEqual(["c set a 1", "c set a 2", "c unset old ", "c set end 3"]);
});

test("a channel that nobody created is a failure that says so", async () => {
  const yaml = "jobs: [{ name: A, type: subscribe, typeArgs: { chSubscribe: c } }]\ntodo: [A]\n";
  const { well, err } = await runText(yaml);
  expect(well).toBe(false);
  expect(err).toMatch(/job "A" failed: there is no channel "c"/);
});
