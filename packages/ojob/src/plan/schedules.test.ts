import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { prepareJobFile } from "../prepare.js";
import { load } from "../testing/load.js";
import { JobFileError } from "../text/problem.js";
import { checkSchedules } from "./schedules.js";

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

/** The messages for a file with a managed job with these settings, or with these jobs. */
async function saidOf(typeArgs: string, more = "args: { name: a }", jobs = ""): Promise<string[]> {
  const yaml = `include: oJobManager.yaml
jobs:
  - name: A
    typeArgs: ${typeArgs}
    from: oJobManager Job Start
    ${more}
${jobs}
  - { name: Init, to: oJobManager Init }
todo: ${jobs === "" ? "A" : "[A, B]"}
`;
  const name = join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml");
  try {
    const { warnings } = await prepareJobFile(name, { args: {}, purpose: "check" });
    return warnings.map(({ at, message }) => `${at?.line}:${at?.column} warning: ${message}`);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
  }
}

const DAILY = 'cron: "@daily"';

describe("words of schedules", () => {
  test("code as args may decide the name of the lock: then the words hold in each process by itself", async () => {
    expect(await saidOf(`{ ${DAILY}, overlap: queue }`, `args: "({ name: args.x })"`)).toEqual([
      expect.stringMatching(/warning: "overlap" of "A" applies in each process separately/),
    ]);
  });

  test("a word among the args of a managed job has no effect, and the warning names the right place", async () => {
    expect(await saidOf(`{ ${DAILY} }`, "args: { name: a, retry: 3 }")).toEqual([
      expect.stringMatching(
        /^6:\d+ warning: "retry" among the args of "A" has no effect. It belongs under "typeArgs" of the job.$/,
      ),
    ]);
    expect(await saidOf("{}", "args: { name: a, overlap: queue }")).toEqual([
      expect.stringMatching(/"overlap" among the args of "A" has no effect/),
    ]);
    expect(await saidOf("{}", "args: { name: a, retry: 3 }\n    exec: print(args.retry)")).toEqual([]);
  });

  test("right words are accepted, in their short and long forms", async () => {
    for (const words of [
      `{ ${DAILY}, overlap: queue, missed: all, jitter: 1000, retry: 3 }`,
      `{ ${DAILY}, missed: { run: all, within: 1000, max: 5, downtime: false } }`,
      `{ ${DAILY}, retry: { attempts: 2, delay: 5, backoff: fixed, maxDelay: 10, onLost: true } }`,
      `{ ${DAILY}, blackout: { from: "2026-12-24T00:00Z", to: "2026-12-27T00:00Z", reason: holidays } }`,
      `{ ${DAILY}, blackout: [{ cron: "0 22 * * *", duration: 3600000, timeZone: Europe/Lisbon }] }`,
      "{ timeInterval: 60000, overlap: queue }",
      "{ retry: 2 }",
      `{ ${DAILY}, permits: { api: 2, "tenant/42": 1 } }`,
      `{ ${DAILY}, rate: { name: smtp, max: 100, per: 60000 } }`,
    ]) {
      expect([words, await saidOf(words)]).toEqual([words, []]);
    }
  });

  test("permits need a limit, a name without a template, and a job that begins a run", async () => {
    const start = "args: { name: a }";
    expect(await saidOf("{ permits: { api: 0 } }")).toEqual([expect.stringContaining("must be a whole number")]);
    expect(await saidOf("{ permits: { api: 1001 } }")).toEqual([
      expect.stringMatching(
        /^4:\d+ "permits" of "A": the limit of the permit "api" must be .* from 1 to 1000, not 1001.$/,
      ),
    ]);
    expect(await saidOf('{ permits: { "{{t}}": 1 } }')).toEqual([
      expect.stringContaining("holds {{t}}, but templates"),
    ]);
    const plain = "  - { name: B, typeArgs: { permits: { api: 1 } }, exec: print(1) }";
    expect(await saidOf("{}", start, plain)).toEqual([
      expect.stringMatching(/^7:\d+ warning: "permits" of "B" has no effect: the job does not begin a run by oJob/),
    ]);
    const byScript =
      "  - { name: B, typeArgs: { permits: { api: 1 } }, exec: \"$job('oJobManager Job Start', { name: 'b' })\" }";
    expect(await saidOf("{}", start, byScript)).toEqual([]);
  });

  test("a rate needs a number, a name without a template, and a job that begins a run", async () => {
    expect(await saidOf("{ rate: { name: api, max: 10001, per: 1000 } }")).toEqual([
      expect.stringMatching(/^4:\d+ "rate" of "A": max of the rate "api" must be .* from 1 to 10000, not 10001.$/),
    ]);
    expect(await saidOf('{ rate: { name: "{{t}}", max: 1, per: 1000 } }')).toEqual([
      expect.stringContaining("holds {{t}}, but templates"),
    ]);
    const plain = "  - { name: B, typeArgs: { rate: { name: api, max: 1, per: 1000 } }, exec: print(1) }";
    expect(await saidOf("{}", "args: { name: a }", plain)).toEqual([
      expect.stringMatching(/^7:\d+ warning: "rate" of "B" has no effect: the job does not begin a run by oJob/),
    ]);
  });

  test.each([
    [`{ ${DAILY}, overlap: qeue }`, /^4:42 "overlap" must be one of skip, queue, replace, .* Did you mean "queue"\?/],
    [`{ ${DAILY}, missed: lastest }`, /^4:41 "missed" must be one of none, latest, all or a map, .* mean "latest"\?/],
    [
      `{ ${DAILY}, missed: { run: all, max: 500 } }`,
      /^4:41 .*"missed": "max" is a whole number from 1 to 100, not 500/,
    ],
    [`{ ${DAILY}, jitter: -1 }`, /^4:41 "jitter" must be a whole number of milliseconds, 0 or more/],
    [`{ ${DAILY}, retry: 101 }`, /^4:40 .*"retry": attempts of ".*" must be a whole number from 1 to 100, not 101/],
    [`{ ${DAILY}, retry: { delay: 5 } }`, /^4:40 "retry" has no "attempts"/],
    [`{ ${DAILY}, blackout: { from: now, to: later } }`, /^4:43 .*"blackout": "from" of a window is a time: ISO 8601/],
    [`{ ${DAILY}, blackout: { cron: "x", duration: 1 } }`, /^4:43 .*"blackout": .*x/],
    ["{ timeInterval: 500, overlap: queue }", /^4:31 "timeInterval" of "A" must be 1000 or more, .* with "overlap"/],
  ])("a wrong word is an error at its place: %s", async (words, message) => {
    expect(await saidOf(words)).toContainEqual(expect.stringMatching(message));
  });

  test.each([
    ["retry: { attempts: 3, dealy: 5 }", '4:55 unknown key "dealy" in "retry". Did you mean "delay"?'],
    ["missed: { run: all, witin: 5 }", '4:53 unknown key "witin" in "missed". Did you mean "within"?'],
    [
      'blackout: { cron: "@daily", duration: 1, reson: x }',
      '4:74 unknown key "reson" in "blackout". Did you mean "reason"?',
    ],
  ])("an unknown key of a word is one error, at the key: %s", async (word, message) => {
    expect(await saidOf(`{ ${DAILY}, ${word} }`)).toEqual([message]);
  });

  test("a key that other schedulers have names ours", async () => {
    expect(await saidOf(`{ ${DAILY}, concurrencyPolicy: Forbid, retries: 3, catchup: true }`)).toEqual([
      expect.stringMatching(/"concurrencyPolicy" .* Did you mean "overlap"\?/),
      expect.stringMatching(/"retries" .* Did you mean "retry"\?/),
      expect.stringMatching(/"catchup" .* Did you mean "missed"\?/),
    ]);
  });

  test("a word that has no effect where it stands is a warning", async () => {
    expect(await saidOf("{ overlap: queue, jitter: 5 }")).toEqual([
      '4:26 warning: "overlap" of "A" has no effect: the job has no schedule.',
      '4:41 warning: "jitter" of "A" has no effect: the job has no schedule.',
    ]);
    const plain = "  - { name: B, typeArgs: { retry: { attempts: 2, onLost: true } }, exec: a }";
    expect(await saidOf("{}", undefined, plain)).toEqual([
      expect.stringMatching(/^7:\d+ warning: "onLost" of "B" has no effect: the job does not begin with/),
    ]);
  });

  test("words of a job whose runs cannot each be in the store hold in each process, which is a warning", async () => {
    expect(await saidOf(`{ ${DAILY}, overlap: queue, single: true }`, "args: [{ name: a }, { name: b }]")).toEqual([
      '4:42 warning: "overlap" of "A" applies in each process separately: its runs of a tick depend on each other.',
    ]);
  });

  test("words of one of two schedules that share a name are an error", async () => {
    const other = `  - { name: B, typeArgs: { ${DAILY} }, from: oJobManager Job Start, args: { name: a } }`;
    expect(await saidOf(`{ ${DAILY}, overlap: queue }`, undefined, other)).toEqual([
      expect.stringMatching(
        /^4:42 "overlap" of "A": several schedules have the name "a", but the store can have only one/,
      ),
    ]);
    expect(await saidOf(`{ ${DAILY} }`, undefined, other)).toEqual([]);
  });
});
