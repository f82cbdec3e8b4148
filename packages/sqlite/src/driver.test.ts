import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openFile } from "./driver.js";

const load = createRequire(import.meta.url);

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), "ojm-driver-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "a.db");
}

/** Finds no native part where it is looked for first, and this as the driver. */
const elsewhere = (driver: unknown) => (name: string) => {
  if (name.endsWith(".node")) throw new Error(`Cannot find module '${name}'`);
  return driver;
};

test("whoever uses the driver beside this package finds the errors of both to be of one class", () => {
  const db = openFile(file());
  onTestFinished(() => void db.close());
  expect(() => db.prepare("SELECT nothing")).toThrow((load("better-sqlite3") as typeof Database).SqliteError);
});

test("a native part that is somewhere else is left to the driver to find", () => {
  const db = openFile(file(), elsewhere(Database));
  onTestFinished(() => void db.close());
  expect(db.open).toBe(true);
});

test("without a native part it is said what to do", () => {
  class Missing {
    constructor() {
      throw new Error("Could not locate the bindings file. Tried:\n → /a\n → /b");
    }
  }
  expect(() => openFile(file(), elsewhere(Missing))).toThrow(
    /^the native part of SQLite's driver cannot be loaded by Node v.*: npm rebuild better-sqlite3, .* \(Could not locate the bindings file\. Tried:\)$/,
  );
});
