import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openChannel } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { afterEach, describe, expect, test, vi } from "vitest";
import { called } from "../testing/called.js";
import { Ojm } from "../testing/ojm.js";
import { configuredStore } from "./config.js";
import { locate } from "./locate.js";

afterEach(() => void vi.unstubAllEnvs());

describe("a store on the command line", () => {
  test("is that of jobs and locks, and has its files", () => {
    const store = { type: "sqlite", args: { file: "/at/a.db" } };
    expect(locate("sqlite:a.db", "/at")).toEqual({ jobs: store, locks: store, files: ["/at/a.db"], isRelative: true });
  });

  test("may be a job file", () => {
    expect(locate("jobs.yaml", "/at")).toEqual({ jobFile: "/at/jobs.yaml" });
  });

  test.each([
    ["ojm.db", /is not understood: write redis:.* or a job file$/],
    ["mysql://h", /no kind of store "mysql": write .* or a job file$/],
    ["memory:", /^other processes cannot see a store in memory: write redis:.* or a job file$/],
  ])("%s is refused", (text, message) => {
    expect(() => locate(text, "/at")).toThrow(message);
  });
});

test.each([
  ["redis://", /"url" has no host: it is of the form redis:\/\/host:6379\/0/],
  ["redis://127.0.0.1:1?db=3", /the query "db": a database is given as the path, as in redis:\/\/host:6379\/3/],
  ["redis://127.0.0.1:1?foo=bar", /the query "foo"/],
  ["etcd://127.0.0.1:99999", /hosts has the port 99999: a port is a number from 1 to 65535/],
])("ojm ps --store %s ends with 2, and says what is wrong with the address", async (store, message) => {
  const ended = await called(folderWith({}), ["ps", "--store", store]);
  expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringMatching(message) });
});

// The superuser can read every folder.
test.skipIf(process.getuid?.() === 0)(
  "a folder that may not be read is reported as that, not as a missing store",
  async () => {
    const folder = folderWith({});
    const closed = join(folder, "closed");
    mkdirSync(closed, { mode: 0 });
    const ended = await called(folder, ["ps", "--store", "sqlite:closed/a.db"]);
    chmodSync(closed, 0o700);
    expect(ended).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^ojm: you have no permission to look into .*closed, where the store is\n$/),
    });
  },
);

test("without a store, all ways to name one are listed", async () => {
  const { code, err } = await called(folderWith({}), ["ps"]);
  expect([code, err]).toEqual([
    2,
    "ojm: ojm ps needs a store: --store redis://HOST, sqlite:FILE, etcd://HOST,HOST, postgres://HOST/DATABASE, level:FOLDER or a job file; or OJM_STORE; or ojm.config.json\n",
  ]);
});

describe("a config file", () => {
  const CONFIG = {
    store: "sqlite:a.db",
    profiles: { prod: { store: { jobs: "sqlite:j.db", locks: "redis://h" } }, dev: {} },
  };

  test.each([
    ["ojm.config.json", JSON.stringify(CONFIG)],
    ["ojm.config.yaml", JSON.stringify(CONFIG)],
    ["ojm.config.mjs", `export default ${JSON.stringify(CONFIG)}`],
  ])("%s names the store, and paths in it begin at its folder", async (name, text) => {
    const folder = folderWith({ [name]: text });
    // A config that is a program is run only if it is named.
    if (name.endsWith("mjs")) vi.stubEnv("OJM_CONFIG", `${folder}/${name}`);
    expect(await configuredStore(`${folder}/some/where`, undefined)).toMatchObject({ files: [`${folder}/a.db`] });
    expect(await configuredStore(folder, "dev")).toMatchObject({ files: [`${folder}/a.db`] });
    expect(await configuredStore(folder, "prod")).toMatchObject({
      jobs: { type: "sqlite", args: { file: `${folder}/j.db` } },
      locks: { type: "redis" },
      files: [`${folder}/j.db`],
    });
    await expect(configuredStore(folder, "prd")).rejects.toThrow(/no profile "prd"\. Did you mean prod\?/);
  });

  test("a store that is written as a map begins at its folder, too, and its files are known", async () => {
    const store = { jobs: { type: "db", args: { file: "j.db" } }, locks: { type: "level", args: { path: "l" } } };
    const folder = folderWith({ "ojm.config.json": JSON.stringify({ store }) });
    expect(await configuredStore(`${folder}/some/where`, undefined)).toMatchObject({
      jobs: { type: "db", args: { file: `${folder}/j.db` } },
      locks: { type: "level", args: { path: `${folder}/l` } },
      files: [`${folder}/j.db`, `${folder}/l`],
    });
  });

  test("retention stands beside the store, or beside that of a profile, in ms or with a unit", async () => {
    const config = {
      store: "sqlite:a.db",
      retention: { olderThan: "30d", keep: 10 },
      profiles: { prod: { store: "redis://h", retention: false }, test: { store: "redis://t" }, dev: {} },
    };
    const folder = folderWith({ "ojm.config.json": JSON.stringify(config) });
    const retention = { olderThan: 30 * 86_400_000, keep: 10 };
    expect(await configuredStore(folder, undefined)).toMatchObject({ retention });
    expect(await configuredStore(folder, "dev")).toMatchObject({ retention });
    expect(await configuredStore(folder, "prod")).toMatchObject({ retention: false });
    expect(await configuredStore(folder, "test")).not.toHaveProperty("retention");
  });

  test("the retention of the config is that of the store, for all programs", async () => {
    const config = { store: "sqlite:a.db", retention: { olderThan: 1_000, keep: 3 } };
    const folder = folderWith({ "ojm.config.json": JSON.stringify(config) });
    expect((await called(folder, ["exec", "a", "--", "true"])).code).toBe(0);
    const turns = await openChannel("oJobManager-turns", { type: "sqlite", args: { file: join(folder, "a.db") } });
    await expect.poll(() => turns.get("retention")).toEqual({ olderThan: 1_000, keep: 3 });
    await turns.close();
  });

  test("one store in the words of a program is that of all data", async () => {
    const store = { type: "sqlite", args: { file: "a.db" } };
    const folder = folderWith({ "ojm.config.json": JSON.stringify({ store }) });
    const placed = { type: "sqlite", args: { file: `${folder}/a.db` } };
    expect(await configuredStore(`${folder}/some/where`, undefined)).toEqual({
      jobs: placed,
      locks: placed,
      files: [`${folder}/a.db`],
      where: `${folder}/ojm.config.json: "store"`,
    });
  });

  test.each([
    ['{"store": {"type": "sqlite", "arg": {}}}', /unknown key "arg"\. Did you mean args\?/],
    ['{"stor": "sqlite:a.db"}', /unknown key "stor"\. Did you mean store\?/],
    ['{"store": {"jobs": "sqlite:a.db"}}', /needs both "jobs" and "locks"/],
    ['{"store": {"jobs": "sqlite:a.db", "lock": "redis://h"}}', /unknown key "lock"\. Did you mean locks\?/],
    ['{"store": 5}', /json: "store" is 5\. It must be a text, such as "redis:/],
    ['{"store": true}', /json: "store" is true\. It must be a text/],
    ['{"store": null}', /json: "store" is null\. It must be a text/],
    ['{"store": ["sqlite:a.db"]}', /json: "store" is a list\. It must be a text/],
    ['{"store": "ojm.db"}', /json: "store": the store "ojm\.db" is not understood/],
    ['{"store": {"type": 5}}', /json: "store": "type" is 5\. It must be a kind of store/],
    ['{"store": {"args": {}}}', /json: "store": "type" is missing\./],
    ['{"store": {"type": "sqlite", "args": null}}', /json: "store": "args" is null\. It must be a map of the options/],
    ['{"store": {"jobs": 5, "locks": "redis://h"}}', /json: "store": "jobs" is 5\. It must be a text/],
    [
      '{"store": {"jobs": "redis://h", "locks": {"typ": "redis"}}}',
      /"store": "locks": unknown key "typ"\. Did you mean type/,
    ],
    ['{"store": null}', /json: "store" is/],
    ["{}", /json: there is no "store"$/],
    ['{"store": "sqlite:a.db", "retention": {"olderThen": 1}}', /"retention": unknown key "olderThen"\. Did you mean/],
    ['{"store": "sqlite:a.db", "retention": "30d"}', /"retention" is a text\. It must be false, or a map such as/],
    ['{"store": "sqlite:a.db", "retention": {"olderThan": "30"}}', /"olderThan" must be a duration .* not "30"/],
    [
      '{"store": "jobs.yaml", "retention": false}',
      /"retention" has no effect on a job file: write it under oJobManager Init in that file/,
    ],
    [
      '{"profiles": {"a": {}, "b": {}}}',
      /there is no "store", and --profile is not given\. It has the profiles: a, b$/,
    ],
    ['{"profiles": 5}', /json: "profiles" is 5\. It must be a map, such as/],
    ['{"profiles": null}', /json: "profiles" is null\./],
    ["[]", /must be a map/],
    ["{", /cannot be read/],
  ])("a wrong one is refused: %s", async (text, message) => {
    await expect(configuredStore(folderWith({ "ojm.config.json": text }), undefined)).rejects.toThrow(message);
  });

  test("a config that is a module may hold the backend of a store itself", async () => {
    const own = 'export default { store: { jobs: { backend: { type: "own", open() {} } }, locks: "redis://h" } };';
    const folder = folderWith({ "ojm.config.mjs": own });
    vi.stubEnv("OJM_CONFIG", `${folder}/ojm.config.mjs`);
    expect(await configuredStore(folder, undefined)).toMatchObject({
      jobs: { backend: { type: "own" } },
      locks: { type: "redis" },
    });
  });

  test.each(["5n", "undefined + 1", "Symbol()", "() => {}"])(
    "a store in a module that is not a value of JSON is refused, too: %s",
    async (value) => {
      const folder = folderWith({ "ojm.config.mjs": `export default { store: ${value} };` });
      vi.stubEnv("OJM_CONFIG", `${folder}/ojm.config.mjs`);
      await expect(configuredStore(folder, undefined)).rejects.toThrow(/mjs: "store" is .*\. It must be a text/);
    },
  );

  test.each([
    ['{"profiles": {"q": 5}}', /json: the profile "q" is 5\. It must be a map, such as \{ "store"/],
    ['{"profiles": {"q": null}}', /json: the profile "q" is null\./],
    ['{"profiles": {"q": "redis://u:secret@h"}}', /json: the profile "q" is a text\. It must be a map/],
    [
      '{"profiles": {"q": {}}}',
      /json: the profile "q" has no "store", and neither has the file outside of its profiles/,
    ],
    ['{"profiles": {"q": {"store": 5}}}', /json: the profile "q": "store" is 5\. It must be a text/],
    ['{"profiles": {"q": {"stor": "redis://h"}}}', /the profile "q": unknown key "stor"\. Did you mean store\?/],
    ['{"store": "sqlite:a.db"}', /json has no profile "q"\. It has none$/],
  ])("a wrong profile is refused with its file, its name and what is missing: %s", async (text, message) => {
    await expect(configuredStore(folderWith({ "ojm.config.json": text }), "q")).rejects.toThrow(message);
  });

  test("ojm ps with a store in the config that is a number ends with 2, and names the file and the key", async () => {
    const folder = folderWith({ "ojm.config.json": '{"store": 5}' });
    expect(await called(folder, ["ps"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ojm: .*ojm\.config\.json: "store" is 5\. It must be a text/),
    });
  });

  test.each([
    [{ type: "sqlite", args: { fil: "a.db" } }, /no option "fil"/],
    [{ type: "redi", args: {} }, /for the channel type "redi"/],
    ["redis://127.0.0.1:99999", /99999/],
  ])("ojm ps with the store %j in the config ends with 2, and names the file", async (store, message) => {
    const text = JSON.stringify({ profiles: { prod: { store } } });
    const { code, err } = await called(folderWith({ "ojm.config.json": text }), ["ps", "--profile", "prod"]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(err).toMatch(/^ojm: \S+ojm\.config\.json: the profile "prod": "store": /);
  });

  test("a fault in OJM_STORE is reported under that name", async () => {
    for (const store of ["redis://127.0.0.1:99999", "mongo://127.0.0.1"]) {
      const ended = await new Ojm(folderWith({}), ["ps"], { ...process.env, OJM_STORE: store }).ended;
      expect(ended).toMatchObject({ code: 2, err: expect.stringMatching(/^ojm: OJM_STORE: /) });
    }
  });
});

describe("a config file that was only found", () => {
  const isRoot = process.getuid?.() === 0;
  const SQLITE = JSON.stringify({ store: "sqlite:a.db" });
  /** A config that writes a file when it is run. */
  const RAN = (folder: string): string =>
    `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(`${folder}/ran`)}, ""); export default {};`;

  test.each(["js", "mjs", "ts"])("is not run if it is a program, in this folder or above it: .%s", async (ending) => {
    const folder = folderWith({});
    mkdirSync(`${folder}/some/where`, { recursive: true });
    const file = `${folder}/ojm.config.${ending}`;
    writeFileSync(file, RAN(folder));
    for (const at of [folder, `${folder}/some/where`]) {
      const { code, err } = await called(at, ["ps"]);
      expect([code, err]).toEqual([4, expect.stringContaining(`${file} is not used: it is a program`)]);
      expect(err).toContain(`OJM_CONFIG=${file}`);
    }
    expect(existsSync(`${folder}/ran`)).toBe(false);
  });

  test.each(["/srv/evil.mjs", "./evil.mjs", "../evil", "@evil/type", "C:\\evil"])(
    "cannot have a type that is not a plain name, and one that is named can: %s",
    async (type) => {
      const text = JSON.stringify({ store: { jobs: { type, args: {} }, locks: "redis://h" } });
      const folder = folderWith({ "ojm.config.json": text });
      await expect(configuredStore(folder, undefined)).rejects.toThrow(/is not a plain name such as "redis"/);
      vi.stubEnv("OJM_CONFIG", `${folder}/ojm.config.json`);
      expect(await configuredStore("/", undefined)).toMatchObject({ jobs: { type } });
      await expect(configuredStore("/", undefined, { runsModules: false })).rejects.toThrow(/plain name/);
    },
  );

  test("is not used if others may write to it", async () => {
    const folder = folderWith({ "ojm.config.json": SQLITE });
    chmodSync(`${folder}/ojm.config.json`, 0o666);
    await expect(configuredStore(folder, undefined)).rejects.toThrow(/not used: others may write to it \(chmod go-w/);
    vi.stubEnv("OJM_CONFIG", `${folder}/ojm.config.json`);
    expect(await configuredStore(folder, undefined)).toMatchObject({ files: [`${folder}/a.db`] });
  });

  test.skipIf(!isRoot)(
    `is not used if it, or the link to it, belongs to another user${isRoot ? "" : ": only root can give files away"}`,
    async () => {
      const folder = folderWith({ "ojm.config.json": SQLITE });
      chownSync(`${folder}/ojm.config.json`, 54_321, 54_321);
      await expect(configuredStore(folder, undefined)).rejects.toThrow(/belongs to another user \(uid 54321\)/);
      const linked = folderWith({ "own.json": SQLITE });
      symlinkSync(`${linked}/own.json`, `${linked}/ojm.config.json`);
      expect(await configuredStore(linked, undefined)).toBeDefined();
      lchownSync(`${linked}/ojm.config.json`, 54_321, 54_321);
      await expect(configuredStore(linked, undefined)).rejects.toThrow(/belongs to another user/);
    },
  );

  test("is looked for up to the root of the repository, or the home folder, and not above", async () => {
    for (const end of [".git", "home"]) {
      const folder = folderWith({ "ojm.config.json": SQLITE });
      mkdirSync(`${folder}/a/b/c`, { recursive: true });
      expect(await configuredStore(`${folder}/a/b/c`, undefined)).toBeDefined();
      if (end === "home") vi.stubEnv("HOME", `${folder}/a/b`);
      else mkdirSync(`${folder}/a/b/.git`);
      expect(await configuredStore(`${folder}/a/b/c`, undefined)).toBeUndefined();
      writeFileSync(`${folder}/a/b/ojm.config.json`, SQLITE);
      expect(await configuredStore(`${folder}/a/b/c`, undefined)).toMatchObject({ files: [`${folder}/a/b/a.db`] });
      vi.unstubAllEnvs();
    }
  });

  test("OJM_CONFIG names a file that is not there: that is an error, and no other one is used", async () => {
    const folder = folderWith({ "ojm.config.json": SQLITE });
    vi.stubEnv("OJM_CONFIG", "other.json");
    await expect(configuredStore(folder, undefined)).rejects.toThrow(
      `OJM_CONFIG: there is no file ${folder}/other.json`,
    );
  });

  test("the completion of a shell runs no program, whatever names it", async () => {
    const folder = folderWith({});
    const evil = `${folder}/evil.mjs`;
    writeFileSync(evil, RAN(folder));
    writeFileSync(`${folder}/ojm.config.mjs`, RAN(folder));
    const job = { store: { type: evil, args: {} } };
    writeFileSync(`${folder}/typed.json`, JSON.stringify(job));
    const yaml = `todo: []\njobs:\n  - name: a\n    type: simple\n`;
    writeFileSync(`${folder}/jobs.yaml`, yaml);
    for (const config of ["", evil, `${folder}/typed.json`]) {
      const env = { ...process.env, OJM_CONFIG: config, OJM_STORE: "" };
      const { code, out } = await new Ojm(folder, ["__complete", "NAME", "--within", "60s", "--", ""], env).ended;
      expect([code, out]).toEqual([0, ""]);
    }
    expect(existsSync(`${folder}/ran`)).toBe(false);
  });
});
