import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { folderWith } from "../testing/folder.js";
import { DailyFiles, type DailyFilesOptions } from "./daily-files.js";
import { FileNames } from "./file-names.js";

const DAY = 86_400_000;
const START = Date.parse("2026-01-30T23:59:59.998Z");

function filesIn(folder: string, options: Partial<DailyFilesOptions> = {}): { files: DailyFiles; warnings: string[] } {
  const warnings: string[] = [];
  const names = new FileNames();
  const warn = (text: string): void => void warnings.push(text);
  const common = { folder, names, most: undefined, keep: undefined, compress: true, warn };
  return { files: new DailyFiles({ ...common, ...options }), warnings };
}

function unpacked(path: string): string {
  return gunzipSync(readFileSync(path)).toString();
}

describe("log files", () => {
  test("change at midnight UTC, no line lost, those of the days before compressed", async () => {
    const folder = join(folderWith({}), "logs");
    const { files } = filesIn(folder);
    for (let i = 0; i < 4; i++) files.write(`line ${i}`, START + i);
    files.write("late", START);
    files.write("next day", START + DAY);
    await files.close();
    expect(readdirSync(folder).sort()).toEqual(["log-2026-01-30.log.gz", "log-2026-01-31.log"].sort());
    expect(unpacked(join(folder, "log-2026-01-30.log.gz"))).toBe("line 0\nline 1\n");
    expect(readFileSync(join(folder, "log-2026-01-31.log"), "utf8")).toBe("line 2\nline 3\nlate\nnext day\n");
  });

  test("hold one line for each call, and are added to by the next process", async () => {
    const folder = folderWith({});
    for (const text of ["two\nlines", "more"]) {
      const { files } = filesIn(folder);
      files.write(text, START);
      await files.close();
    }
    expect(readFileSync(join(folder, "log-2026-01-30.log"), "utf8")).toBe("two\\nlines\nmore\n");
  });

  test("are as many as numberOfFiles says, and no older than HKhowLongAgoInMinutes; other files are left alone", async () => {
    const older = [
      "log-2026-01-01.log",
      "log-2026-01-28.log.gz",
      "log-2026-01-29.log",
      "other-2026-01-01.log",
      "log.log",
    ];
    const left = async (options: Partial<DailyFilesOptions>): Promise<string[]> => {
      const folder = folderWith(Object.fromEntries(older.map((name) => [name, "x\n"])));
      const { files } = filesIn(folder, options);
      files.write("today", START);
      await files.close();
      return readdirSync(folder)
        .filter((name) => name.startsWith("log-"))
        .sort();
    };
    const [today, yesterday] = ["log-2026-01-30.log", "log-2026-01-29.log.gz"];
    expect(await left({ most: 2 })).toEqual([yesterday, today]);
    expect(await left({ keep: 3 * DAY })).toEqual(["log-2026-01-28.log.gz", yesterday, today]);
    expect(await left({ compress: false, names: new FileNames(undefined, undefined, false) })).toEqual([
      "log-2026-01-01.log",
      "log-2026-01-28.log.gz",
      "log-2026-01-29.log",
      today,
    ]);
  });

  test("that another process wrote after they were compressed join what is there", async () => {
    const folder = folderWith({ "log-2026-01-29.log": "one\n" });
    for (const later of [undefined, "two\n"]) {
      if (later !== undefined) writeFileSync(join(folder, "log-2026-01-29.log"), later);
      const { files } = filesIn(folder);
      files.write("today", START);
      await files.close();
    }
    expect(unpacked(join(folder, "log-2026-01-29.log.gz"))).toBe("one\ntwo\n");
  });

  test("that cannot be opened are said once, and tried again later", async () => {
    const parent = folderWith({ logs: "a file, no folder" });
    const folder = join(parent, "logs");
    const { files, warnings } = filesIn(folder);
    expect([files.write("a", START), files.write("b", START + 1)]).toEqual([false, false]);
    expect(warnings).toEqual([expect.stringMatching(/^the log file cannot be written: E.* The jobs go on/)]);
    rmSync(folder);
    mkdirSync(folder);
    expect(files.write("c", START + 61_000)).toBe(true);
    await files.close();
  });

  test("on a disk that is full lose lines, say so once, and hang nobody", async () => {
    const { files, warnings } = filesIn("/dev", { names: new FileNames("full") });
    for (let i = 0; i < 100; i++) files.write("x".repeat(1_000), START + i);
    await files.room();
    await files.close();
    expect(warnings).toEqual([expect.stringMatching(/ENOSPC/)]);
  });
});

test.each([
  ["{{timedate}}.txt", undefined, "2026-01-30.txt", "2026-01-30.txt.gz"],
  ["a.log.{{timedate}}", "old/{{timedate}}.gz", "a.log.2026-01-30", "old/2026-01-30.gz"],
])("files are called as the template %s says", (template, backup, name, old) => {
  const names = new FileNames(template, backup);
  expect([names.of("2026-01-30"), names.backupOf("2026-01-30")]).toEqual([name, old]);
  expect([names.dayOf(name), names.dayOf(old), names.dayOf(`x${name}`)]).toEqual([
    "2026-01-30",
    "2026-01-30",
    undefined,
  ]);
});
