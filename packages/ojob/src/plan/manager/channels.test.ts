import { existsSync } from "node:fs";
import { join } from "node:path";
import { registerBackend } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../../index.js";
import type { Args } from "../../load/job-file.js";
import { runText } from "../../testing/run-file.js";
import { JobFileError, type Problem, SourceFile } from "../../text/problem.js";
import { mergeArgs } from "../args.js";
import { placeChannels } from "./channels.js";

const at = { source: new SourceFile("a.yaml", "/jobs/a.yaml", ""), line: 1, column: 1 };
const pathsOf = async (type: string): Promise<readonly string[]> =>
  ({ sqlite: ["file"], "/jobs/own.mjs": ["one", "two"] })[type] ?? [];

/** The channel of the records after its templates and paths are known. */
async function placed(chJobs: unknown, typed: Args = {}, more: Args = {}): Promise<unknown> {
  const own = { ...more, chJobs };
  const args = mergeArgs({ own, given: {}, commandLine: typed }, () => {});
  return (await placeChannels(args, own, { at, typed, pathsOf }))["chJobs"];
}

const sqlite = (file: string): object => ({ type: "sqlite", args: { file, durability: "host" } });

describe("paths of channels in a job file", () => {
  test.each([
    ["./data/a.db", "/jobs/data/a.db"],
    ["a.db", "/jobs/a.db"],
    ["../a.db", "/a.db"],
    ["/srv/a.db", "/srv/a.db"],
    ["", ""],
    [":memory:", ":memory:"],
  ])("the path %j means %j", async (said, meant) => {
    expect(await placed(sqlite(said))).toEqual(sqlite(meant));
  });

  test("a path with templates begins at the folder of the file, once they are filled", async () => {
    expect(await placed(sqlite("./{{env}}/a.db"), { env: "test" })).toEqual(sqlite("/jobs/test/a.db"));
    expect(await placed(sqlite("{{folder}}/a.db"), { folder: "/srv" })).toEqual(sqlite("/srv/a.db"));
    expect(await placed(sqlite("{{db}}"), {}, { db: "b.db" })).toEqual(sqlite("/jobs/b.db"));
    expect(await placed("{{init.store}}", {}, { init: { store: sqlite("b.db") } })).toEqual(sqlite("/jobs/b.db"));
  });

  test("a path that was typed on the command line as a whole begins at the working directory", async () => {
    expect(await placed(sqlite("{{db}}"), { db: "./b.db" })).toEqual(sqlite(join(process.cwd(), "b.db")));
    expect(await placed({ type: "{{own}}" }, { own: "./b.mjs" })).toEqual({ type: join(process.cwd(), "b.mjs") });
  });

  test("a type declares which of its options are paths, even a type of the user, whose own path is one too", async () => {
    const config = { type: "./own.mjs", args: { one: "a", two: "b", three: "c", url: "./d" } };
    expect(await placed(config)).toEqual({
      type: "/jobs/own.mjs",
      args: { one: "/jobs/a", two: "/jobs/b", three: "c", url: "./d" },
    });
    expect(await placed({ type: "redis", args: { url: "redis://h" } })).toEqual({
      type: "redis",
      args: { url: "redis://h" },
    });
  });

  test("arguments that the file does not say stay as they are: a script or the caller has given them", async () => {
    const args = { chJobs: sqlite("./a.db"), chLocks: sqlite("./b.db") };
    expect(await placeChannels(args, { chLocks: args.chLocks }, { at, typed: {}, pathsOf })).toEqual({
      chJobs: sqlite("./a.db"),
      chLocks: sqlite("/jobs/b.db"),
    });
  });

  test.each([
    [undefined],
    [null],
    ["simple"],
    [{ type: 5 }],
    [{ args: { file: "./a" } }],
    [{ type: "sqlite", args: 5 }],
  ])("what is not a channel with paths stays as it is: %j", async (config) =>
    expect(await placed(config)).toEqual(config),
  );
});

/**
 * A job file that opens its job manager by a job with these lines, named by the todo unless `todo` says
 * otherwise.
 */
function withInit(lines: string, todo = "[I]"): string {
  return `include: oJobManager.yaml\njobs:\n  - name: A\n    exec: print("A ran")\n  - name: I\n    to: oJobManager Init\n${lines}\ntodo: ${todo}\n`;
}

const types = (jobs: string, locks = "simple"): string =>
  withInit(`    args:\n      chJobs: { type: ${jobs} }\n      chLocks: { type: ${locks} }`);

/** The problems of a file with this text: severity, line, column and message. */
async function found(yaml: string, args = {}): Promise<string[]> {
  const shown = ({ severity, at, message }: Problem): string => `${severity} ${at?.line}:${at?.column} ${message}`;
  try {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), { args });
    return warnings.map(shown);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(shown);
  }
}

describe("unknown channel types", () => {
  test.each([
    ["sqllite", /^error 8:23 no backend for the channel type "sqllite" is installed\. Did you mean "sqlite"\?$/],
    ["rediss", /^error 8:23 .*"rediss".*Did you mean "redis"\?$/],
    [
      "ignite",
      /^error 8:23 .*"ignite" is installed\. There is none for Apache Ignite: .* use redis or etcd, on one machine sqlite\.$/,
    ],
    ["nosuchthing", /^error 8:23 .*Types are simple, .*, or the name or path of a package that exports a backend\.$/],
    ["./no-such-file.js", /^error 8:23 .*"\/.*\/no-such-file\.js" is installed/],
  ])("an unknown channel type is an error at its place, with a hint: %s", async (type, message) => {
    expect(await found(types(JSON.stringify(type)))).toEqual([expect.stringMatching(message)]);
  });

  test("an unknown channel type is found for each channel, each at its place", async () => {
    expect(await found(types("sqllite", "ignite"))).toEqual([
      expect.stringMatching(/^error 8:23 .*sqllite/),
      expect.stringMatching(/^error 9:24 .*ignite/),
    ]);
  });

  test("an unknown channel type is found in ojob.channels, in the todo, and in a template that is filled", async () => {
    const channels =
      "ojob: { channels: { create: [{ name: c, type: levle }] } }\njobs: [{ name: A, exec: print(1) }]\ntodo: [A]\n";
    expect(await found(channels)).toEqual([expect.stringMatching(/^error 1:47 .*"levle".*"level"\?$/)]);
    const todo = withInit("", "[{ name: I, args: { chJobs: { type: etdc }, chLocks: { type: simple } } }]");
    expect(await found(todo)).toEqual([expect.stringMatching(/^error 8:43 .*"etdc".*"etcd"\?$/)]);
    expect(await found(types('"{{store}}"'), { store: "rediss" })).toEqual([
      expect.stringMatching(/^error 8:23 .*rediss/),
    ]);
  });

  test("a run with an unknown channel type is refused, and nothing of the file runs", async () => {
    const yaml = types("sqllite").replace("todo: [I]", "todo: [A, I]");
    await expect(runText(yaml)).rejects.toThrow(/jobs\.yaml:8:23: error: .*Did you mean "sqlite"\?/);
  });
});

describe("channel types that may be right", () => {
  test.each([
    ["a type that comes along", types("simple")],
    ["a template that nothing fills yet", types('"{{store}}"')],
    ["an argument that is a template", withInit('    args: { chJobs: "{{store}}" }')],
    [
      "args that a script may have changed",
      withInit("    exec: delete args.chJobs\n    args: { chJobs: { type: later } }"),
    ],
    [
      "an argument of another job",
      withInit("").replace("    exec:", "    args: { chJobs: { type: mine } }\n    exec:"),
    ],
  ])("a channel type that may be right is not refused: %s", async (_, yaml) => {
    expect(await found(yaml)).toEqual([]);
  });

  test("a path to a backend that exists is accepted, and the check does not run the backend", async () => {
    const folder = folderWith({ "own.mjs": "throw new Error('this was run')" });
    expect(await found(types(JSON.stringify(join(folder, "own.mjs"))))).toEqual([]);
  });

  test.each([
    ["a job that the todo does not run", "[A]"],
    ["a job that runs on a condition", "[A, { name: I, when: return args.far }]"],
  ])("an unknown channel type in %s is only a warning", async (_, todo) => {
    const yaml = types("sqllite").replace("todo: [I]", `todo: ${todo}`);
    expect(await found(yaml)).toEqual([expect.stringMatching(/^warning 8:23 .*"sqllite"/)]);
  });
});

describe("options of channels", () => {
  test("a wrong option of a channel is an error at its place that names the right one", async () => {
    const options = (text: string): string =>
      `ojob: { channels: { create: [{ name: c, ${text} }] } }\njobs: [{ name: A, exec: print(1) }]\ntodo: [A]\n`;
    expect(await found(options("type: redis, args: { uri: redis://h }"))).toEqual([
      expect.stringMatching(/^error 1:62 channel type "redis" has no option "uri"\. Did you mean "url"\?/),
    ]);
    expect(await found(options("type: db, options: { path: a }"))).toEqual([
      expect.stringMatching(/^error 1:62 channel type "db" has no option "path"\. .*It has: file, durability\.$/),
    ]);
    expect(await found(options("args: { file: a }"))).toEqual([
      expect.stringMatching(/^error 1:49 channel type "simple" has no option "file"\. It has none\.$/),
    ]);
    expect(await found(options("type: etcd, args: { hosts: h, keyPrefix: a, deadline: 1 }"))).toEqual([]);
  });

  test("each wrong option of the job manager's channels is reported, and nothing is opened", async () => {
    expect(
      await found(types("level, args: { pth: ./a }", "sqlite, args: { file: ./f, durabilty: host, x: 1 }")),
    ).toEqual([
      expect.stringMatching(/^error 8:38 .*"pth"\. Did you mean "path"/),
      expect.stringMatching(/^error 9:51 .*"durabilty"\. Did you mean "durability"/),
      expect.stringMatching(/^error 9:68 .*"x"\. It has: file, durability/),
    ]);
  });

  test.each([
    ["level, args: { pth: ./a }", 38],
    ['level, args: { "pth": "./a" }', 38],
    ["level, args: { 'pth' : ./a }", 38],
    ["level, args: { x: 1, pth: }", 44],
  ])("a wrong option is reported at its name, not at its value: %s", async (written, column) => {
    expect(await found(types(written))).toContainEqual(expect.stringMatching(new RegExp(`^error 8:${column} .*"pth"`)));
  });

  test("a wrong option with its value in the next line is reported at that value", async () => {
    const lines = "    args:\n      chJobs:\n        type: level\n        args:\n          pth:\n            ./a";
    expect(await found(withInit(lines))).toContainEqual(expect.stringMatching(/^error 12:13 .*"pth"/));
  });

  test("the caret stands under a wrong option behind a password that is masked", async () => {
    const secret = 'redis, args: { url: "redis://u:hunter2secret@h", foo: 1 }';
    const yaml = join(folderWith({ "jobs.yaml": types(secret) }), "jobs.yaml");
    const { message } = (await checkJobFile(yaml).catch((error: unknown) => error)) as Error;
    const [line = "", caret = ""] = message.split("\n").slice(1);
    expect(line).toContain("u:***@h");
    expect(caret.indexOf("^")).toBe(line.indexOf("foo"));
  });

  test("a backend of the user's own is not asked for its options, which would run it", async () => {
    const folder = folderWith({ "own.mjs": "throw new Error('this was run')" });
    expect(await found(types(`${JSON.stringify(join(folder, "own.mjs"))}, args: { any: 1 }`))).toEqual([]);
  });
});

test.each([
  ["{ chjob: { type: simple } }", /^error 7:20 oJobManager Init has no argument "chjob"\. Did you mean "chJobs"\?$/],
  ["{ chJobs: simple }", /^error 7:21 "chJobs" must be a map with "type" and "args"/],
  ["{ chJobs: { typ: simple } }", /^error 7:21 "chJobs" can only have "type" and "args", not "typ"\.$/],
])("wrong arguments of oJobManager Init are an error at their place: %s", async (args, message) => {
  expect(await found(withInit(`    args: ${args}`))).toEqual([expect.stringMatching(message)]);
});

test("records in a store without chLocks are warned of, because the locks stay in memory", async () => {
  const channels = (text: string): Promise<string[]> => found(withInit(`    args: { ${text} }`));
  const records = "chJobs: { type: sqlite, args: { file: ./a.db } }";
  expect(await channels(records)).toEqual([
    expect.stringMatching(/^warning 7:21 .*other processes may run the same jobs at the same time\. Give "chLocks"/),
  ]);
  expect(await channels(`${records}, chLocks: { type: simple }`)).toEqual([]);
  expect(await channels("chJobs: { type: simple }")).toEqual([]);
});

test("wrong arguments of oJobManager Init are reported all at once, with the wrong type of the other channel", async () => {
  const both = "    args:\n      chJobs: { type: simple, args: 5 }\n      chLocks: { type: simple, args: 5 }";
  expect(await found(withInit(both))).toEqual([
    expect.stringMatching(/^error 8:15 "chJobs" must be a map/),
    expect.stringMatching(/^error 9:16 "chLocks" must be a map/),
  ]);
  const one = both.replace("simple, args: 5 }\n", "sqllite }\n");
  expect(await found(withInit(one))).toEqual([
    expect.stringMatching(/^error 8:23 .*"sqllite"/),
    expect.stringMatching(/^error 9:16 "chLocks" must be a map/),
  ]);
  await expect(
    runText(withInit(both).replace("to: oJobManager Init", "exec: print(1)\n    to: oJobManager Init")),
  ).resolves.toMatchObject({
    well: false,
    err: expect.stringMatching(/"chJobs" must be .*"chLocks" must be /),
  });
});

/** A type that stores nothing. It counts as a store because it is not the one in memory. */
registerBackend({ ...simple, options: ["file"], open: (_, context) => simple.open({}, context), type: "by-file" });

const SYNC = "{ name: Sync, from: oJobManager Job Start, args: { name: sync }, exec: print('ran') }";

/** A job file whose job `Init`, in line 3, has this path for both its stores. */
function file(path: string, more = "", todo = "[Init, Sync]"): string {
  const channels = ["chJobs", "chLocks"].map((name) => `${name}: { type: by-file, args: { file: ${path} } }`);
  const init = `{ name: Init, ${more}to: oJobManager Init, args: { ${channels.join(", ")} } }`;
  return `include: oJobManager.yaml\njobs:\n  - ${init}\n  - ${SYNC}\ntodo: ${todo}\n`;
}

async function foundWith(yaml: string, args = {}): Promise<string[]> {
  try {
    await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), { args });
    return [];
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.column} ${message}`);
  }
}

describe("a store whose path nothing fills", () => {
  test.each([
    [
      "a variable",
      '"${OJM_TEST_NONE}/jobs.db"',
      /\$\{OJM_TEST_NONE\} in "file" of "chJobs".*Set OJM_TEST_NONE in the env/,
    ],
    ["a template", '"{{db}}"', /\{\{db\}\} in "file" of "chJobs".*Add db=… to the command line/],
  ])("is an error at its place, for each channel: %s", async (_, path, message) => {
    const [first, second, ...more] = await foundWith(file(path));
    expect(more).toEqual([]);
    expect(first).toMatch(/^error 3:\d+ /);
    expect(first).toMatch(message);
    expect(second).toMatch(/of "chLocks"/);
    await expect(runText(file(path))).rejects.toThrow(/jobs\.yaml:3:\d+: error: nothing fills/);
  });

  test("is an error in ojob.channels, where templates are not filled", async () => {
    const yaml = `ojob: { channels: { create: [{ name: c, type: by-file, args: { file: "\${OJM_TEST_SET}/a" } }] } }
jobs: [{ name: A, exec: print(1) }]
todo: [A]
`;
    expect(await foundWith(yaml)).toEqual([
      expect.stringMatching(/^error 1:\d+ .*\$\{OJM_TEST_SET\} in "file" of "c"/),
    ]);
  });

  test("ends Init where only the run can know, and no job runs under another lock", async () => {
    const open = "{ name: Open, from: Init }";
    for (const path of ['"${OJM_TEST_NONE}/jobs.db"', '"{{db}}"']) {
      const yaml = file(path, "", "[Open, Sync]").replace("todo:", `  - ${open}\ntodo:`);
      const { well, out, err, folder } = await runText(yaml);
      expect(well).toBe(false);
      expect(out).not.toContain("ran");
      expect(err).toMatch(
        /job "Open" failed: nothing fills (\$\{OJM_TEST_NONE\}|\{\{db\}\}) in "file" of .*jobs\.yaml:3:/,
      );
      expect(existsSync(join(folder, "{{db}}"))).toBe(false);
    }
  });

  test.each([
    ["has a default", '"${OJM_TEST_NONE:-./data}/jobs.db"', {}],
    ["gets its value from the command line", '"{{db}}"', { db: "a" }],
    ["escapes the variable", '"$${OJM_TEST_NONE}"', {}],
  ])("is not an error if it %s", async (_, path, args) => {
    expect(await foundWith(file(path), args)).toEqual([]);
  });

  test("is not an error where a script may set it", async () => {
    expect(
      await foundWith(file('"{{db}}"', "from: Ask, ").replace("todo:", "  - { name: Ask, exec: args.db = 1 }\ntodo:")),
    ).toEqual([]);
  });
});
