import { join } from "node:path";
import { Recorder } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it, onTestFinished, vi } from "vitest";
import { createTables, recognise } from "./layout.js";
import { Database } from "./testing/driver.js";
import { EVERYTHING, get, openFile, openRaw, put, temporaryFile } from "./testing/fixtures.js";

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
  expect(recognise(db)).toBe(false);
});

it("a database of format 1 is brought up to date, and fails calls of a process that still has format 1 open", async () => {
  const file = temporaryFile();
  const first = await openFile(file);
  await first.commit(put("a", "1"));
  await first.close();
  const old = openRaw(file);
  old.exec(`
    DROP TABLE watched;
    ALTER TABLE meta RENAME COLUMN watching TO watched;
    INSERT INTO watchers (host, pid, namespace, started, deadline, boot, expires) VALUES ('h', 1, 'n', 's', 1e300, '', 1e300);
    UPDATE meta SET watched = 1;
    PRAGMA user_version = 1`);
  const readMeta = old.prepare("SELECT version, watched, logged, trimmed FROM meta");
  expect(readMeta.get()).toMatchObject({ watched: 1 });

  const opened = await openFile(file);
  expect(await get(opened, "a")).toMatchObject({ value: "1", version: "1" });
  expect(old.prepare("SELECT watching FROM meta").pluck().get()).toBe(0);
  const recorder = new Recorder();
  await opened.watch(EVERYTHING, recorder);
  await opened.commit(put("a", "2"));
  expect(recorder.values).toEqual(["2"]);
  expect(() => readMeta.get()).toThrow("no such column: watched");
});
