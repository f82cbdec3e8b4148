import { hostname } from "node:os";
import { join } from "node:path";
import { VERSIONS } from "@ojm/core/internal";
import { Recorder } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createTables, EMPTY, layoutOf } from "./layout.js";
import { Database } from "./testing/driver.js";
import { EVERYTHING, get, openFile, openRaw, put, rejection, temporaryFile } from "./testing/fixtures.js";
import { start } from "./testing/processes.js";

it("a database whose tables are made while it is inspected is not taken for another program's", () => {
  const folder = temporaryFolder();
  const [db, other] = [0, 1].map(() => new Database(join(folder, "a.db"), { timeout: 0 }));
  if (db === undefined || other === undefined) throw new Error("two connections");
  onTestFinished(() => void [db, other].map((one) => one.close()));
  const pragma = db.pragma.bind(db);
  vi.spyOn(db, "pragma").mockImplementation((source, options) => {
    const value = pragma(source, options);
    try {
      createTables(other);
    } catch (error) {
      // It is refused: the file must not change while it is inspected.
      expect(error).toMatchObject({ code: expect.stringMatching(/^SQLITE_BUSY/) });
    }
    return value;
  });
  expect(layoutOf(db)).toBe(EMPTY);
});

/** Creates a file of layout 1, with one entry. */
async function fileOfLayout1(): Promise<string> {
  const file = temporaryFile();
  const first = await openFile(file);
  await first.commit(put("a", "1"));
  await first.close();
  const db = new Database(file);
  db.exec(`
    DROP TABLE watched;
    ALTER TABLE watchers DROP COLUMN layout;
    ALTER TABLE watchers DROP COLUMN version;
    ALTER TABLE meta RENAME COLUMN watching TO watched;
    PRAGMA user_version = 1`);
  db.close();
  return file;
}

function layoutAndVersions(file: string): unknown[] {
  const db = openRaw(file);
  const version: unknown = db.pragma("user_version", { simple: true });
  return [version, ...db.prepare("SELECT layout, version FROM watchers").all()];
}

describe("a database of layout 1", () => {
  it("is upgraded when it is opened, with its entries", async () => {
    const file = await fileOfLayout1();
    const opened = await openFile(file);
    expect(await get(opened, "a")).toMatchObject({ value: "1", version: "1" });
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    await opened.commit(put("a", "2"));
    expect(recorder.values).toEqual(["2"]);
    expect(layoutAndVersions(file)).toEqual([2, { layout: 2, version: VERSIONS.ojm }]);
  });

  it("is upgraded by one of many processes that open it at once", async () => {
    const file = await fileOfLayout1();
    const programs = Array.from({ length: 4 }, () => start("open-close", file, "1"));
    for (const program of programs) expect(await program.exit).toBe(0);
    expect(layoutAndVersions(file)).toEqual([2]);
  });

  it("is refused while a process of layout 1 has it open, with a line that names it, and upgraded afterwards", async () => {
    const file = await fileOfLayout1();
    const older = start("layout-1", file);
    await older.next();
    const { pid } = older.process;
    expect(await rejection(openFile(file))).toMatchObject({
      code: "IN_USE",
      retryable: true,
      outcome: "not-applied",
      message: `SQLite file ${file} has layout 1. It is upgraded to layout 2 when no other process has it open: stop process ${pid} on ${hostname()} (version unknown) first ("lsof ${file}" lists all)`,
    });
    // Nothing has changed for it.
    older.send("read");
    expect(await older.next()).toEqual({ version: 1, watched: 1, entries: 1 });

    const waiting = openFile(file);
    older.kill("SIGKILL");
    expect(await get(await waiting, "a")).toMatchObject({ value: "1", version: "1" });
  });
});

it("a process that watches says its layout and version, beside one that does not know these columns", async () => {
  const file = temporaryFile();
  const first = await openFile(file);
  const old = openRaw(file);
  old.exec("ALTER TABLE watchers DROP COLUMN layout; ALTER TABLE watchers DROP COLUMN version");
  const enter = old.prepare(
    "INSERT INTO watchers (host, pid, namespace, started, deadline, boot, expires) VALUES ('h', 1, 'n', 's', 1e300, '', 1e300)",
  );
  const all = old.prepare("SELECT id, host, pid, namespace, started, deadline, boot, expires FROM watchers");
  enter.run();
  await first.watch(EVERYTHING, new Recorder());
  enter.run();
  expect(all.all()).toHaveLength(3);
  const unknown = { layout: 2, version: "" };
  expect(layoutAndVersions(file)).toEqual([2, unknown, { layout: 2, version: VERSIONS.ojm }, unknown]);
});
