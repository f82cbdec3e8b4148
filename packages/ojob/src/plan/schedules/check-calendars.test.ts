import { expect, test } from "vitest";
import { load } from "../../testing/load.js";
import { checkSchedules } from "./check-calendars.js";

async function errorsOf(jobs: string): Promise<string[]> {
  const { file, problems } = load(`jobs:\n${jobs}\ntodo: [A]\n`);
  await checkSchedules(file, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

test.each([
  ["an expression that is wrong", '{cron: "61 * * * *"}', /^2:41 .*61/],
  ["an expression that no day fits", '{cron: "0 0 30 2 *"}', /^2:41 .*0 0 30 2/],
  [
    "a time zone that does not exist",
    '{timeZone: Europe/Lisbonn, cron: "@daily"}',
    /^2:45 .*Did you mean Europe\/Lisbon\?/,
  ],
])("a schedule with %s is an error at its place", async (_, typeArgs, message) => {
  expect(await errorsOf(`  - {name: A, exec: a, typeArgs: ${typeArgs}}`)).toEqual([expect.stringMatching(message)]);
});

test("a wrong cron expression hides neither a wrong time zone nor the errors of other jobs", async () => {
  const wrong = 'typeArgs: {cron: "x", timeZone: y}';
  expect(await errorsOf(`  - {name: A, ${wrong}}\n  - {name: B, ${wrong}}`)).toHaveLength(4);
});

test("valid schedules are accepted: cron of 5 or 6 fields, with a time zone, or an interval", async () => {
  const good = ['{cron: "0 2 * * *"}', '{cron: "0 0 2 * * *", timeZone: Asia/Kathmandu}', "{timeInterval: 1000}"];
  expect(await errorsOf(good.map((typeArgs, i) => `  - {name: A${i}, typeArgs: ${typeArgs}}`).join("\n"))).toEqual([]);
});

test("a periodic job without a schedule is an error", async () => {
  expect(await errorsOf("  - {name: A, type: periodic}")).toEqual([
    '2:12 "A" is periodic: it needs "cron" or "timeInterval" in its "typeArgs".',
  ]);
});
