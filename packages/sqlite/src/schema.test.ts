import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it, onTestFinished, vi } from "vitest";
import { createTables, recognise } from "./schema.js";

it("a file whose tables are made between two looks at it is not taken for another program's", () => {
  const folder = mkdtempSync(join(tmpdir(), "ojm-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [db, other] = [0, 1].map(() => new Database(join(folder, "a.db"), { timeout: 0 }));
  if (db === undefined || other === undefined) throw new Error("two connections");
  onTestFinished(() => void [db, other].map((one) => one.close()));
  const pragma = db.pragma.bind(db);
  vi.spyOn(db, "pragma").mockImplementation((source, options) => {
    const value = pragma(source, options);
    try {
      createTables(other);
    } catch (error) {
      // Refused: nobody changes the file while it is looked at.
      expect(error).toMatchObject({ code: expect.stringMatching(/^SQLITE_BUSY/) });
    }
    return value;
  });
  expect(recognise(db)).toBe(false);
});
