import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile } from "../index.js";
import { JobFileError, type Problem } from "../text/problem.js";
import { withCalls } from "./director.js";

const CREATE = "ojob: { channels: { create: [{ name: c, type: simple }] } }";

async function found(jobs: readonly string[], todo: string, ojob = CREATE): Promise<string[]> {
  const yaml = ["include: oJobDirector.yaml", ojob, "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""];
  const shown = ({ severity, at, message }: Problem): string => `${severity} ${at?.line} ${message}`;
  try {
    const path = join(folderWith({ "jobs.yaml": yaml.join("\n") }), "jobs.yaml");
    return (await checkJobFile(path, { prepare: async () => {} })).warnings.map(shown);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(shown);
  }
}

const INIT = "{ name: Init, to: oJob Director init, args: { ch: c } }";
const work = (args: string, more = ""): string =>
  `{ name: Work, from: oJob Director checkin, exec: print(1), args: { ${args} } ${more} }`;
const GOOD = 'jobName: a, jobUUID: "{{id}}"';

test.each([
  ["ch: 5", /^error 4 oJob Director init: "ch" must be the name of a channel/],
  ["stamp: x", /^error 4 oJob Director init: "stamp" must be a map/],
  ["keep: soon", /^error 4 oJob Director init: "keep" must be a duration/],
])("the arguments of init are checked: %s", async (args, message) => {
  const init = `{ name: Init, to: oJob Director init, args: { ${args} } }`;
  expect(await found([init], "[Init]")).toEqual([expect.stringMatching(message)]);
});

test("a good file has no problem", async () => {
  expect(await found([INIT, work(GOOD)], "[Init, { name: Work, args: { id: 1 } }]")).toEqual([]);
  const dated = "jobName: a, jobUUID: \"{{ow.format.fromDate(new Date(), 'yyyyMMdd')}}-{{genUUID()}}\"";
  expect(await found([INIT, work(dated)], "[Init, Work]")).toEqual([]);
});

test.each([
  [
    "an id that nothing fills",
    work(GOOD),
    "[Init, Work]",
    /^error 5 nothing fills {{id}} in "jobUUID": all runs would/,
  ],
  [
    "a missing id",
    work("jobName: a"),
    "[Init, Work]",
    /^error \d+ oJob Director checkin needs "jobUUID" among the args/,
  ],
  [
    "a channel of a check-in",
    work(`${GOOD}, ch: d`),
    "[Init, { name: Work, args: { id: 1 } }]",
    /^warning 5 "ch" of "Work" has no effect/,
  ],
  [
    "the same id at each tick",
    work("jobName: a, jobUUID: b", ', typeArgs: { cron: "0 * * * *" }'),
    "[Init, Work]",
    /^warning 5 "jobUUID" of "Work" is the same at each tick/,
  ],
  [
    "a check whose result is dropped",
    "{ name: Look, exec: \"$job('oJob Director check', args)\" }",
    "[Init, Look]",
    /^warning 5 "Look" calls oJob Director check and drops its result/,
  ],
  [
    "two channels",
    "{ name: Other, to: oJob Director init, args: { ch: d } }",
    "[Init, Other]",
    /^warning 5 this file calls oJob Director init with different arguments/,
  ],
])("ojm check finds %s", async (_, job, todo, message) => {
  expect(await found([INIT, job], todo)).toEqual([expect.stringMatching(message)]);
});

test("ojm check warns of check-ins in memory", async () => {
  const memory = await found([INIT, work(GOOD)], "[Init, { name: Work, args: { id: 1 } }]", "ojob: {}");
  expect(memory).toEqual([expect.stringMatching(/^warning 5 the check-ins of "Work" are in memory/)]);
});

test("an id may have the date of its tick, in UTC, and a random part", () => {
  const time = Date.UTC(2026, 10, 30, 7, 5, 9);
  const fill = (text: string): string => withCalls(text, time, () => "u");
  expect(fill("{{ow.format.fromDate(new Date(), 'yyyyMMddHHmmss')}}")).toBe("20261130070509");
  expect(fill('a-{{ ow.format.fromDate( new Date() , "yyyy-MM-dd" ) }}-{{genUUID()}}')).toBe("a-2026-11-30-u");
  expect(fill("{{id}}")).toBe("{{id}}");
  expect(() => fill("{{ow.format.fromDate(new Date(), 'ww')}}")).toThrow('"ww" is not known in the date of a jobUUID');
});
