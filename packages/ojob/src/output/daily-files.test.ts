import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { DailyFiles, type DailyFilesOptions, FileNames } from "./daily-files.js";

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

describe("daily log files", () => {
  test("log files change at midnight UTC without losing a line, and those of earlier days are compressed", async () => {
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

  test("a log file holds one line for each call, and the next process appends to it", async () => {
    const folder = folderWith({});
    for (const text of ["two\nlines", "more"]) {
      const { files } = filesIn(folder);
      files.write(text, START);
      await files.close();
    }
    expect(readFileSync(join(folder, "log-2026-01-30.log"), "utf8")).toBe("two\\nlines\nmore\n");
  });

  test("old log files are removed by numberOfFiles and HKhowLongAgoInMinutes; other files are left alone", async () => {
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

  test("a log file written again after it was compressed is added to the compressed one", async () => {
    const folder = folderWith({ "log-2026-01-29.log": "one\n" });
    for (const later of [undefined, "two\n"]) {
      if (later !== undefined) writeFileSync(join(folder, "log-2026-01-29.log"), later);
      const { files } = filesIn(folder);
      files.write("today", START);
      await files.close();
    }
    expect(unpacked(join(folder, "log-2026-01-29.log.gz"))).toBe("one\ntwo\n");
  });

  test("a log file that cannot be opened is warned of once, and tried again later", async () => {
    const parent = folderWith({ logs: "a file, no folder" });
    const folder = join(parent, "logs");
    const { files, warnings } = filesIn(folder);
    expect([files.write("a", START), files.write("b", START + 1)]).toEqual([false, false]);
    expect(warnings).toEqual([expect.stringMatching(/^the log file cannot be written: E.* The jobs continue/)]);
    rmSync(folder);
    mkdirSync(folder);
    expect(files.write("c", START + 61_000)).toBe(true);
    await files.close();
  });

  test("a log file that cannot be closed is a warning, not a failure", async () => {
    const folder = folderWith({});
    const { files, warnings } = filesIn(folder);
    files.write("a", START);
    await files.flush();
    const path = join(realpathSync(folder), "log-2026-01-30.log");
    const fd = readdirSync("/proc/self/fd").find((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`) === path;
      } catch {
        return false;
      }
    });
    closeSync(Number(fd));
    await files.close();
    expect(warnings).toEqual([expect.stringMatching(/the log file cannot be written: EBADF/)]);
  });

  test("a log file on a full disk loses lines, is warned of once, and does not hang the writer", async () => {
    const { files, warnings } = filesIn("/dev", { names: new FileNames("full") });
    for (let i = 0; i < 100; i++) files.write("x".repeat(1_000), START + i);
    await files.room();
    await files.close();
    expect(warnings).toEqual([expect.stringMatching(/ENOSPC/)]);
  });
});

describe.skipIf(process.platform === "win32")("log files in a folder that others may write", () => {
  const TODAY = "log-2026-01-30.log";
  const YESTERDAY = "log-2026-01-29.log";

  function withUmask(umask: number): void {
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
  }

  const modeOf = (...path: string[]): string => (statSync(join(...path)).mode & 0o7777).toString(8);

  async function write(folder: string): Promise<string[]> {
    const { files, warnings } = filesIn(folder);
    files.write("line", START);
    await files.close();
    return warnings;
  }

  test.each([0o022, 0])("log files and new folders are for their owner alone, under umask %s", async (umask) => {
    withUmask(umask);
    const folder = join(folderWith({}), "a", "logs");
    await write(folder);
    expect([modeOf(folder, ".."), modeOf(folder), modeOf(folder, TODAY)]).toEqual(["700", "700", "600"]);
  });

  test("log files keep the mode that they have, even when they are compressed", async () => {
    withUmask(0o022);
    const folder = folderWith({ [TODAY]: "", [YESTERDAY]: "x\n" });
    chmodSync(join(folder, TODAY), 0o664);
    chmodSync(join(folder, YESTERDAY), 0o664);
    expect(await write(folder)).toEqual([]);
    expect([modeOf(folder, TODAY), modeOf(folder, `${YESTERDAY}.gz`)]).toEqual(["664", "664"]);
  });

  test("log files can be read by the group to which a setgid folder gives its files", async () => {
    withUmask(0o022);
    const folder = folderWith({});
    chmodSync(folder, 0o2750);
    await write(folder);
    expect(modeOf(folder, TODAY)).toBe("640");
  });

  test("log files are not written through a symbolic link, which is warned of; their folder may be a link", async () => {
    const folder = folderWith({ "target.txt": "precious" });
    symlinkSync(join(folder, "target.txt"), join(folder, TODAY));
    expect(await write(folder)).toEqual([
      expect.stringMatching(/log-2026-01-30\.log is a symbolic link, which is not followed/),
    ]);
    const link = join(folderWith({}), "logs");
    const real = folderWith({});
    symlinkSync(real, link);
    expect(await write(link)).toEqual([]);
    expect(readdirSync(real)).toEqual([TODAY]);
    expect(readFileSync(join(folder, "target.txt"), "utf8")).toBe("precious");
  });

  test("log files are not compressed through a symbolic link, nor into the target of one", async () => {
    const folder = folderWith({ "target.txt": "precious", [YESTERDAY]: "x\n" });
    const target = join(folder, "target.txt");
    symlinkSync(target, join(folder, "log-2026-01-28.log"));
    symlinkSync(target, join(folder, `${YESTERDAY}.gz.${process.pid}.tmp`));
    expect(await write(folder)).toEqual([]);
    expect(unpacked(join(folder, `${YESTERDAY}.gz`))).toBe("x\n");
    expect(lstatSync(join(folder, "log-2026-01-28.log")).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  test("a pipe or a folder in the place of a log file does not hang the writer", async () => {
    const folder = folderWith({ "log-2026-01-01.log/a": "x" });
    execFileSync("mkfifo", [join(folder, TODAY)]);
    expect(await write(folder)).toEqual([expect.stringMatching(/the log file cannot be written: ENXIO/)]);
    const { files, warnings } = filesIn(folder, { most: 1 });
    files.write("line", START + DAY);
    await files.close();
    expect(warnings).toEqual([]);
  });
});

test.each([
  ["{{timedate}}.txt", undefined, "2026-01-30.txt", "2026-01-30.txt.gz"],
  ["a.log.{{timedate}}", "old/{{timedate}}.gz", "a.log.2026-01-30", "old/2026-01-30.gz"],
])("log files are named by the template %s", (template, backup, name, old) => {
  const names = new FileNames(template, backup);
  expect([names.of("2026-01-30"), names.backupOf("2026-01-30")]).toEqual([name, old]);
  expect([names.dayOf(name), names.dayOf(old), names.dayOf(`x${name}`)]).toEqual([
    "2026-01-30",
    "2026-01-30",
    undefined,
  ]);
});
