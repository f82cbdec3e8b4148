import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { called } from "../testing/called.js";

/** Commands that only read, or change what is in the store already. */
const COMMANDS = [
  ["ps"],
  ["jobs"],
  ["next"],
  ["why", "backup"],
  ["ticks", "backup"],
  ["runs"],
  ["show", "backup"],
  ["logs", "backup"],
  ["wait", "backup"],
  ["locks"],
  ["audit"],
  ["doctor"],
  ["export"],
  ["ui", "--port", "0"],
  ["cancel", "backup", "--reason", "x"],
  ["unlock", "backup", "--reason", "x"],
  ["pause", "backup", "--reason", "x"],
  ["run-now", "backup", "--reason", "x"],
  ["prune", "--older-than", "1d"],
];

describe("a store whose path is misspelt", () => {
  test.each(["sqlite:data/ojn.db", "level:data/ojn"])(
    "is not created by a command that expects it, which ends with 2 and prints the path: %s",
    async (store) => {
      const folder = folderWith({});
      const path = join(folder, store.replace(/^\w+:/, ""));
      for (const words of COMMANDS) {
        const ended = await called(folder, [...words, "--store", store]);
        const err = `ojm: there is no store at ${path}: no run has made it so far\n`;
        expect({ words, ...ended }).toEqual({ words, code: 2, out: "", err });
      }
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test("may be a folder without a LevelDB database, which stays as it is", async () => {
    const folder = folderWith({});
    mkdirSync(join(folder, "empty"));
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other", "a.txt"), "x");
    for (const name of ["empty", "other"]) {
      const ended = await called(folder, ["ps", "--store", `level:${name}`]);
      const err = `ojm: the folder ${join(folder, name)} has no LevelDB database, so it is not a store. Is it the right path?\n`;
      expect(ended).toEqual({ code: 2, out: "", err });
    }
    expect([readdirSync(join(folder, "empty")), readdirSync(join(folder, "other"))]).toEqual([[], ["a.txt"]]);
    expect(await called(folder, ["exec", "a", "--store", "level:empty", "--", "true"])).toMatchObject({ code: 0 });
    expect(await called(folder, ["ps", "--store", "level:empty"])).toMatchObject({ code: 0 });
  });
});
