import { registerBackend } from "@ojm/core";
import { expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";

test("ojob.channels.create opens channels before the first job; if one cannot be opened, no job runs", async () => {
  const yaml = (config: string): string =>
    `ojob: { channels: { create: [{ name: mine, ${config} }] } }\n${script('$ch("mine").set("a", 1); log($ch("mine").get("a").value)')}`;
  expect((await runText(yaml("type: simple"))).lines).toEqual(["1"]);
  registerBackend({ type: "broken", open: () => Promise.reject(new Error("it is broken")) });
  const { well, lines, err } = await runText(yaml("type: broken"));
  expect({ well, lines }).toEqual({ well: false, lines: [] });
  expect(err).toMatch(/the channel "mine" of ojob\.channels cannot be opened: .*it is broken/);
});

test("ojob.catch runs once for each job that failed, after its own catch, and may fail itself", async () => {
  const yaml = `ojob: { catch: "log('any: ' + job.name + ' ' + exception.message + ' ' + args.n); nothing()" }
jobs:
  - { name: Inner, exec: "throw new Error('inner')" }
  - { name: A, from: Inner, catch: "log('own')", args: { n: 1 } }
  - { name: B, exec: "throw new Error('b')", args: { n: 2 } }
  - { name: C, exec: "log('c')" }
todo: [A, B, C]
`;
  const { well, lines } = await runText(yaml);
  expect(well).toBe(false);
  expect(lines).toEqual(["own", "any: A inner 1", "any: B b 2", "c"]);
  await expect(runText("ojob: { catch: 'a b' }\njobs: [{ name: A }]\ntodo: [A]\n")).rejects.toThrow(/syntax error/);
});
