import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { called } from "./testing/called.js";
import { Ojm, ojm, start } from "./testing/ojm.js";

/** A managed job whose store has a relative path, as in all examples. */
function managed(code: string, store = "{ type: sqlite, args: { file: ./data/locks.db } }"): string {
  return `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args: { chJobs: ${store}, chLocks: ${store} }
  - name: Work
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: work }
    exec: |
      ${code}
todo: [Init, Work]
`;
}

/** A folder with these files, some in subfolders, and an empty folder `home`. */
function tree(files: Readonly<Record<string, string>>): { readonly root: string; readonly home: string } {
  const root = folderWith({});
  for (const [name, text] of Object.entries({ ...files, "home/.keep": "" })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, home: join(root, "home") };
}

const untouched = (home: string): void => expect(readdirSync(home)).toEqual([".keep"]);

describe("a job file that is started from two folders", () => {
  test("the same file started from two folders runs once: the second process names the holder of the lock", {
    tags: ["full"],
  }, async () => {
    const { root, home } = tree({ "jobs/a.yaml": managed('print("holding"); sleep(60000, true);') });
    const holder = start(join(root, "jobs"), "run", "a.yaml");
    await holder.prints("holding");
    const { code, out, err } = await ojm(home, "run", "../jobs/a.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`pid ${holder.process.pid}`);
    untouched(home);
  });

  test("of two processes that start at once from two folders, one runs and the other gets LOCKED", async () => {
    const code = 'require("fs").appendFileSync(__FILE, "x"); print("ran"); sleep(60000, true);';
    const { root, home } = tree({});
    writeFileSync(join(root, "a.yaml"), managed(code.replace("__FILE", JSON.stringify(join(root, "ran")))));
    const both = [start(root, "run", "a.yaml"), start(home, "run", "../a.yaml")];
    const loser = await Promise.race(both.map(({ ended }) => ended));
    expect(loser).toMatchObject({ code: 1, out: "" });
    expect(loser.err).toContain("Can't lock to execute job 'work': held by ");
    expect(both.filter(({ out }) => out.includes("ran"))).toHaveLength(1);
    untouched(home);
  });

  test("history and locks find the store of a run from another folder", async () => {
    const { root, home } = tree({ "jobs/a.yaml": managed("print(1)") });
    expect((await ojm(home, "run", "../jobs/a.yaml")).code).toBe(0);
    for (const [command, row] of [
      ["history", /^work .* completed/m],
      ["locks", /^work +free$/m],
    ] as const) {
      expect((await called(root, [command, "jobs/a.yaml"])).out).toMatch(row);
      expect((await called(home, [command, "../jobs/a.yaml"])).out).toMatch(row);
    }
    untouched(home);
  });

  test("the paths of an included file begin at the folder of that file, even for a backend of the user's own", {
    tags: ["full"],
  }, async () => {
    const own = `import { writeFileSync } from "node:fs";
export const backend = { type: "own", paths: ["place"], open({ place }) {
  writeFileSync(place + ".opened", "");
  throw new Error("seen " + place);
} };\n`;
    const lib = `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: { type: ./own.mjs, args: { place: "./{{env}}/store" } }
      chLocks: { type: ./own.mjs, args: { place: "./{{env}}/store" } }
`;
    const { root, home } = tree({
      "lib/init.yaml": lib,
      "lib/own.mjs": own,
      "lib/test/.keep": "",
      "a.yaml": "include: lib/init.yaml\ntodo: [Init]\n",
    });
    const { code, err } = await ojm(home, "run", "../a.yaml", "env=test");
    expect(code).toBe(1);
    expect(err).toContain(`seen ${join(root, "lib/test/store")}`);
    untouched(home);
  });

  test("a path that is typed on the command line begins at the working directory", { tags: ["full"] }, async () => {
    const store = '{ type: sqlite, args: { file: "{{db}}" } }';
    const { root, home } = tree({ "jobs/a.yaml": managed("print(1)", store) });
    expect((await ojm(home, "run", "../jobs/a.yaml", "db=./x.db")).code).toBe(0);
    expect(existsSync(join(home, "x.db"))).toBe(true);
    expect((await called(root, ["history", "jobs/a.yaml", "db=home/x.db"])).out).toMatch(/^work .* completed/m);
  });

  test("a template in the args of the todo is filled for history as for the run", async () => {
    const store = '{ type: sqlite, args: { file: "./{{env}}.db" } }';
    const yaml = managed("print(1)")
      .replace(/\n {4}args: \{ chJobs.*\}/, "")
      .replace("todo: [Init,", `todo: [{ name: Init, args: { chJobs: ${store}, chLocks: ${store} } },`);
    const { root, home } = tree({ "jobs/a.yaml": yaml });
    expect((await ojm(home, "run", "../jobs/a.yaml", "env=test")).code).toBe(0);
    expect(existsSync(join(root, "jobs/test.db"))).toBe(true);
    expect((await called(root, ["history", "jobs/a.yaml", "env=test"])).out).toMatch(/^work .* completed/m);
  });

  test("log folder, pid file and the folder of a script in another language are beside the file", {
    tags: ["full"],
  }, async () => {
    const yaml = `ojob: { logToFile: { logFolder: logs }, unique: { pidFile: a.pid } }
jobs:
  - { name: A, lang: shell, typeArgs: { pwd: sub }, exec: 'pwd; ls ..' }
  - { name: B, exec: "log('said'); print(process.cwd())" }
todo: [A, B]
`;
    const { root, home } = tree({ "jobs/a.yaml": yaml, "jobs/sub/.keep": "" });
    const { code, out } = await ojm(home, "run", "../jobs/a.yaml");
    expect(code).toBe(0);
    expect(out).toContain(`${join(root, "jobs/sub")}\na.pid\na.yaml\n`);
    // Paths in a script are relative to the working directory of the process.
    expect(out).toContain(`\n${home}\n`);
    expect(readdirSync(join(root, "jobs/logs"))).toHaveLength(1);
    untouched(home);
  });
});

describe("a file that is in the working directory only", () => {
  test("a file that is read is not taken from the working directory: the error names both places", async () => {
    const yaml = `include: lib.yaml
ojob: { loads: f.js }
jobs:
  - { name: A, typeArgs: { file: s.js } }
  - { name: B, typeArgs: { execRequire: m.js } }
todo: [A, B]
`;
    const files = ["lib.yaml", "f.js", "s.js", "m.js"];
    const { root, home } = tree({
      "jobs/a.yaml": yaml,
      ...Object.fromEntries(files.map((name) => [`home/${name}`, "jobs: []\n"])),
    });
    const { code, err } = await called(home, ["check", "../jobs/a.yaml"]);
    expect(code).toBe(2);
    for (const name of files) {
      expect(err).toContain(`there is no file ${name} beside ../jobs/a.yaml: ${join(root, "jobs", name)} is missing`);
      expect(err).toContain(`There is ${join(home, name)}, but a relative path begins at the folder of the file`);
    }
  });

  test("the file of a job of type jobs is not taken from the working directory: the job fails, and names both places", async () => {
    const yaml = "jobs:\n  - { name: A, type: jobs, typeArgs: { file: b.yaml } }\ntodo: [A]\n";
    const other = "jobs: [{ name: B, exec: print('ran') }]\ntodo: [B]\n";
    const { root, home } = tree({ "jobs/a.yaml": yaml, "home/b.yaml": other });
    const { code, out, err } = await ojm(home, "run", "../jobs/a.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(
      /^\.\.\/jobs\/a\.yaml:2:46: warning: There is .*home\/b\.yaml, but the path means .*jobs\/b\.yaml/,
    );
    expect(err).toContain(`there is no file b.yaml beside ../jobs/a.yaml: ${join(root, "jobs/b.yaml")} is missing`);
  });

  test.each([
    ["ojob: { logToFile: { logFolder: there } }", "1:33"],
    ["ojob: { unique: { pidFile: there } }", "1:28"],
    ["ojob: { channels: { create: [{ name: c, type: sqlite, args: { file: there } }] } }", "1:30"],
  ])("a path that a run makes is warned of: %s", async (ojob, place) => {
    const { home } = tree({ "jobs/a.yaml": `${ojob}\njobs: [{ name: A }]\ntodo: [A]\n`, "home/there": "" });
    const { code, err } = await called(home, ["check", "../jobs/a.yaml"]);
    expect(code).toBe(0);
    expect(err).toMatch(
      new RegExp(`^\\.\\./jobs/a\\.yaml:${place}: warning: There is .*/home/there, but the path means .*/jobs/there: `),
    );
    expect(err.match(/warning/g)).toHaveLength(1);
  });
});

describe("a store that is not there", () => {
  test.each([
    ["history", "sqlite", "file: ./data/locks.db"],
    ["locks", "sqlite", "file: ./data/locks.db"],
    ["history", "level", "path: ./data/locks.db"],
    ["locks", "level", "path: ./data/locks.db"],
  ])(
    "ojm %s of a missing store of type %s prints its path, ends with 2 and creates nothing",
    async (command, type, option) => {
      const { root, home } = tree({ "jobs/a.yaml": managed("print(1)", `{ type: ${type}, args: { ${option} } }`) });
      const { code, out, err } = await called(home, [command, "../jobs/a.yaml"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      const path = join(root, "jobs/data/locks.db");
      expect(err).toMatch(/^ojm: there is no store at .*\n$/);
      expect(err).toContain(path);
      expect(readdirSync(join(root, "jobs"))).toEqual(["a.yaml"]);
      untouched(home);
    },
  );

  test("ojm exec makes the store of the logs, too, and history refuses one that is gone", {
    tags: ["full"],
  }, async () => {
    const store = { jobs: "sqlite:jobs.db", locks: "sqlite:jobs.db", logs: "sqlite:logs.db" };
    const folder = folderWith({ "ojm.config.json": JSON.stringify({ store }) });
    const made = `ojm: created the store ${join(folder, "jobs.db")}, which did not exist\n`;
    expect(await ojm(folder, "exec", "quiet", "--", "true")).toMatchObject({ code: 0, err: made });
    expect(await ojm(folder, "exec", "quiet", "--", "true")).toMatchObject({ code: 0, err: "" });
    expect(await called(folder, ["history"])).toMatchObject({ code: 0, err: "" });
    rmSync(join(folder, "logs.db"));
    const { code, err } = await called(folder, ["history"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`no store at ${join(folder, "logs.db")}`) });
    expect(existsSync(join(folder, "logs.db"))).toBe(false);
  });

  test("a store that exec creates is reported once, and at a relative path, that another folder has another one", async () => {
    const folder = folderWith({});
    const exec = async (store: string): Promise<string> => {
      const words = ["exec", "quiet", "--", "true"];
      const { code, err } = await new Ojm(folder, words, { ...process.env, OJM_STORE: store }).ended;
      expect([store, code]).toEqual([store, 0]);
      return err;
    };
    const path = join(folder, "ojm.db");
    const told = `^ojm: created the store ${path}. OJM_STORE is relative .* Better: OJM_STORE=sqlite:${path}\n$`;
    expect(await exec("sqlite:./ojm.db")).toMatch(new RegExp(told));
    expect(await exec("sqlite:./ojm.db")).toBe("");
    const other = join(folder, "other.db");
    expect(await exec(`sqlite:${other}`)).toBe(`ojm: created the store ${other}, which did not exist\n`);
    const { err } = await ojm(folder, "exec", "quiet", "--store", "sqlite:third.db", "--", "true");
    const better = `--store sqlite:${join(folder, "third.db")}`;
    expect(err).toMatch(new RegExp(`\\. --store is relative to this folder: .* Better: ${better}\n$`));
  });

  test("a store at the place where earlier releases looked is named by run, check, history and locks", {
    tags: ["full"],
  }, async () => {
    const { root, home } = tree({ "jobs/a.yaml": managed("print(1)"), "home/data/locks.db": "" });
    const [old, path] = [join(home, "data/locks.db"), join(root, "jobs/data/locks.db")];
    for (const command of ["history", "locks", "check", "run"]) {
      const words = [command, "../jobs/a.yaml"];
      const { code, err } = await (command === "run" ? ojm(home, ...words) : called(home, words));
      expect([command, code]).toEqual([command, command.startsWith("h") || command === "locks" ? 2 : 0]);
      expect(err).toContain(old);
      expect(err).toContain(path);
    }
    expect((await called(home, ["check", "../jobs/a.yaml"])).err).toBe("");
  });
});

test("ojm history of a name that never ran says so, and names those that have runs", async () => {
  const { root } = tree({ "a.yaml": managed("print(1)") });
  expect((await ojm(root, "run", "a.yaml")).code).toBe(0);
  const { code, out } = await called(root, ["history", "a.yaml", "--name", "wrok"]);
  expect({ code, out }).toEqual({
    code: 0,
    out: '"wrok" never ran. Did you mean "work"? Names that have runs: work.\n',
  });
});

test("a lock name with a template that nothing fills is refused at its place, and nothing starts", async () => {
  const yaml = managed('print("ran")').replace("name: work", 'name: "{{lock}}"');
  const { root } = tree({ "a.yaml": yaml });
  for (const command of ["check", "run"]) {
    const words = [command, "a.yaml"];
    const { code, out, err } = await (command === "run" ? ojm(root, ...words) : called(root, words));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(
      /^a\.yaml:10:19: error: nothing fills \{\{lock\}\} in the name of the lock.*\n +10 \| {5}args: /,
    );
    expect(existsSync(join(root, "data"))).toBe(false);
  }
  expect((await ojm(root, "run", "a.yaml", "lock=night")).code).toBe(0);
  // The history does not need the name of a lock.
  expect((await called(root, ["history", "a.yaml"])).out).toMatch(/^night .* completed/m);
});
