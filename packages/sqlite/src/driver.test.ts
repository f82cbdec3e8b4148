import { createRequire } from "node:module";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, onTestFinished, test } from "vitest";
import { loadDriver, openFile } from "./driver.js";

function file(): string {
  return join(temporaryFolder(), "a.db");
}

/** An installation that has only `modules`, and records which of them are loaded. */
function installation(modules: Record<string, unknown>): { load: (name: string) => unknown; loaded: string[] } {
  const loaded: string[] = [];
  const load = (name: string): unknown => {
    if (!(name in modules))
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
    loaded.push(name);
    return modules[name];
  };
  return { load, loaded };
}

const release = (version: string) => ({ "better-sqlite3": "driver", "better-sqlite3/package.json": { version } });

test("a program that uses the driver beside @ojm/sqlite sees errors of the same class", () => {
  const db = openFile(file());
  onTestFinished(() => void db.close());
  expect(() => db.prepare("SELECT nothing")).toThrow(loadDriver().SqliteError);
});

test.each(["22.12.0", "24.21.0", "26.10.0"])("Node %s loads better-sqlite3 13", (node) => {
  const { load, loaded } = installation({ ...release("13.2.0"), "@ojm/sqlite-node20": "driver" });
  expect(loadDriver(load, node)).toBe("driver");
  expect(loaded).toEqual(["better-sqlite3/package.json", "better-sqlite3"]);
});

test("Node 20 never loads better-sqlite3 13, which would crash it", () => {
  const { load, loaded } = installation({ ...release("13.2.0"), "@ojm/sqlite-node20": "driver" });
  expect(loadDriver(load, "20.19.0")).toBe("driver");
  expect(loaded).toEqual(["@ojm/sqlite-node20"]);
});

test("Node 24 never loads better-sqlite3 12, which would abort it", () => {
  const { load, loaded } = installation(release("12.11.1"));
  expect(() => loadDriver(load, "24.21.0")).toThrow(
    /^the SQLite driver for Node v24\.21\.0 is not installed \(better-sqlite3 12\.11\.1 is installed, .*\)\. .* install the dependencies again/,
  );
  expect(loaded).toEqual(["better-sqlite3/package.json"]);
});

test.each([
  ["20.19.0", "@ojm/sqlite-node20"],
  ["22.12.0", "better-sqlite3"],
])("an installation without the driver for Node %s says how to get it", (node, name) => {
  expect(() => loadDriver(installation({}).load, node)).toThrow(
    `the SQLite driver for Node v${node} is not installed (${name} is missing). Delete node_modules and install the dependencies again`,
  );
});

test("a SQLite driver without its native part fails with an error that names the command to build it", () => {
  class Missing {
    constructor() {
      throw new Error("Could not locate the bindings file. Tried:\n → /a\n → /b");
    }
  }
  const { load } = installation({ ...release("13.2.0"), "better-sqlite3": Missing, "@ojm/sqlite-node20": Missing });
  expect(() => openFile(file(), load)).toThrow(
    /^the native part of SQLite's driver cannot be loaded by Node v.*\. Build it: npm rebuild better-sqlite3 .*, or pnpm approve-builds better-sqlite3 \(Could not locate the bindings file\. Tried:\)$/,
  );
});

test("the engines of the two SQLite drivers leave out no supported version of Node", () => {
  const here = createRequire(import.meta.url);
  const { optionalDependencies } = here("../package.json") as { optionalDependencies: Record<string, string> };
  const wrapper = here("../../sqlite-node20/package.json") as Record<"version" | "engines", unknown>;
  expect(optionalDependencies["@ojm/sqlite-node20"]).toBe(wrapper.version);
  expect(wrapper.engines).toEqual({ node: ">=20.19 <22" });
});
