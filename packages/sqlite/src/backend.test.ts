import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Recorder } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it, onTestFinished } from "vitest";
import { backend } from "./index.js";
import { Database } from "./testing/driver.js";
import {
  EVERYTHING,
  eventually,
  get,
  openFile,
  openRaw,
  put,
  rejection,
  temporaryFile,
  versionOf,
} from "./testing/fixtures.js";
import { start } from "./testing/processes.js";

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: "ignore" });
}

function failure(file: unknown, args: object = {}): Promise<unknown> {
  return rejection(openFile(file as string, undefined, args));
}

describe("the type of the SQLite backend", () => {
  it("the SQLite backend has the type sqlite and the alias db", () => {
    expect([backend.type, ...(backend.aliases ?? [])]).toEqual(["sqlite", "db"]);
  });

  it("the SQLite backend declares what it supports, and the declaration is frozen", async () => {
    const { supports } = await openFile(temporaryFile());
    expect(supports).toMatchObject({ shared: "host", durability: "process", ttl: true, watch: true });
    expect(Object.isFrozen(supports)).toBe(true);
  });
});

describe("the options of the SQLite backend", () => {
  const cases: [what: string, args: Record<string, unknown>, says: RegExp][] = [
    ["no file", {}, /needs the option "file"/],
    ["a file that is no string", { file: 5 }, /must be a string, not number/],
    ["null", { file: null }, /must be a string, not null/],
    ["an empty path", { file: " " }, /must be the path of a file/],
    ["a database in memory", { file: ":memory:" }, /use the type "simple"/],
    ["an unknown option", { fiel: "a.db" }, /no option "fiel"\. Did you mean "file"\?/],
    ["an unknown durability", { file: "a.db", durability: "disk" }, /must be "process" or "host"/],
  ];

  it.each(cases)("the SQLite backend refuses options with INVALID_CONFIG: %s", async (_what, args, says) => {
    const error = await rejection(
      backend.open(args, { clock: { ...(await import("@ojm/core/backend")).systemClock } }),
    );
    expect(error).toMatchObject({ code: "INVALID_CONFIG", retryable: false, message: expect.stringMatching(says) });
  });
});

describe.skipIf(process.platform === "win32")("the files of a database", () => {
  /** The modes of a database that is open and watched, and of all files beside it. */
  async function modesOf(file: string): Promise<Readonly<Record<string, string>>> {
    const opened = await openFile(file);
    await opened.watch(EVERYTHING, new Recorder());
    await opened.commit(put("k", "1"));
    const folder = dirname(file);
    const modes = readdirSync(folder).map((name) => [
      name.replace(/\d+$/, "N"),
      (statSync(join(folder, name)).mode & 0o7777).toString(8),
    ]);
    return Object.fromEntries(modes) as Readonly<Record<string, string>>;
  }

  function withUmask(umask: number): void {
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
  }

  it.each([0o022, 0])("new database files and folders are for their owner alone under umask %s", async (umask) => {
    withUmask(umask);
    const above = join(temporaryFolder(), "a");
    const modes = await modesOf(join(above, "b", "jobs.db"));
    expect(modes).toEqual({ "jobs.db": "600", "jobs.db-wal": "600", "jobs.db-shm": "600", "jobs.db-wake-N": "600" });
    expect([above, join(above, "b")].map((folder) => statSync(folder).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  it.each([0o660, 0o644])("the files beside an existing database take the mode of the database: %s", async (mode) => {
    withUmask(0o022);
    const folder = temporaryFolder();
    chmodSync(folder, 0o770);
    const file = join(folder, "jobs.db");
    writeFileSync(file, "");
    chmodSync(file, mode);
    const text = mode.toString(8);
    const expected = { "jobs.db": text, "jobs.db-wal": text, "jobs.db-shm": text, "jobs.db-wake-N": text };
    expect(await modesOf(file)).toEqual(expected);
    expect(statSync(folder).mode & 0o777).toBe(0o770);
  });

  it("the files of a database are made where a symbolic link leads, for their owner alone", async () => {
    withUmask(0o022);
    const [folder, elsewhere] = [temporaryFolder(), join(temporaryFolder(), "far")];
    symlinkSync(join(elsewhere, "real.db"), join(folder, "jobs.db"));
    const opened = await openFile(join(folder, "jobs.db"));
    await opened.commit(put("k", "1"));
    expect(statSync(join(elsewhere, "real.db")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["jobs.db"]);
  });
});

describe("the place of the database file", () => {
  it("a new database file is created together with its folders", async () => {
    const file = join(temporaryFolder(), "a", "b", "jobs.db");
    await (await openFile(file)).commit(put("k", "1"));
    expect(statSync(file).isFile()).toBe(true);
  });

  it("an empty file may become a database", async () => {
    const file = temporaryFile();
    writeFileSync(file, "");
    await expect((await openFile(file)).commit(put("k", "1"))).resolves.toMatchObject({ ok: true });
  });

  it("a folder in place of the database file is refused", async () => {
    const folder = temporaryFolder();
    expect(await failure(folder)).toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining(`${folder} is a folder`),
    });
  });

  it("a database file that is not a regular file is refused", async () => {
    expect(await failure("/dev/null")).toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("a database file below another file is refused", async () => {
    const file = temporaryFile();
    writeFileSync(file, "");
    expect(await failure(join(file, "jobs.db"))).toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("a database file is refused where its folders cannot be created, and the error names the folder", async () => {
    const error = await failure("/proc/no-folder/jobs.db");
    expect(error).toMatchObject({ message: expect.stringContaining("create the folder /proc/no-folder") });
  });
});

describe("a file that is not an intact database of ojm", () => {
  it("a file that is not a database is refused as CORRUPT", async () => {
    const file = temporaryFile();
    writeFileSync(file, "name: daily\n".repeat(100));
    expect(await failure(file)).toMatchObject({ code: "CORRUPT", message: expect.stringContaining(file) });
  });

  it("the database of another program is refused, and left as it was", async () => {
    const file = temporaryFile();
    const other = new Database(file);
    other.exec("CREATE TABLE users (name)");
    other.close();
    const before = readFileSync(file);
    expect(await failure(file)).toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining("the database of another program"),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("a database of a newer layout is refused, with a line that says what to upgrade", async () => {
    const file = temporaryFile();
    await (await openFile(file)).close();
    const db = new Database(file);
    db.pragma("user_version = 99");
    db.close();
    expect(await failure(file)).toMatchObject({
      code: "INVALID_CONFIG",
      message: `SQLite file ${file} has layout 99, and this version of @ojm/sqlite knows layouts up to 2: upgrade @ojm/sqlite and the other packages of ojm in this program`,
    });
  });

  it.each([0, -1])("a database of ours with layout %i, which does not exist, is refused as CORRUPT", async (layout) => {
    const file = temporaryFile();
    await (await openFile(file)).close();
    const db = new Database(file);
    db.pragma(`user_version = ${layout}`);
    db.close();
    expect(await failure(file)).toMatchObject({
      code: "CORRUPT",
      retryable: false,
      message: `SQLite file ${file}: its header has layout ${layout}, which does not exist`,
    });
  });

  it("a damaged database is refused as CORRUPT", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    for (let i = 0; i < 100; i++) await opened.commit(put(`k${i}`, "x".repeat(1000)));
    await opened.close();
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096);
    writeFileSync(file, bytes);
    expect(await failure(file)).toMatchObject({ code: "CORRUPT", retryable: false });
  });

  it("a database whose tables are gone is refused as CORRUPT", async () => {
    const file = temporaryFile();
    await (await openFile(file)).close();
    const db = new Database(file);
    db.exec("DROP TABLE entries");
    db.close();
    expect(await failure(file)).toMatchObject({ code: "CORRUPT" });
  });
});

describe("a file system that cannot be written", () => {
  const mounted = (options: string): string | undefined => {
    const folder = temporaryFolder();
    try {
      run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder);
      return folder;
    } catch {
      console.info("skipped: this needs the right to mount a file system");
      return undefined;
    }
  };
  const unmount = (folder: string): void => run("umount", "--lazy", folder);

  it("on a read-only file system, opening a database, old or new, fails with READ_ONLY", async ({ skip }) => {
    const folder = mounted("size=4m") ?? skip();
    try {
      const file = join(folder, "jobs.db");
      await (await openFile(file)).close();
      run("mount", "-o", "remount,ro", folder);
      expect(await failure(file)).toMatchObject({ code: "READ_ONLY", message: expect.stringContaining(folder) });
      expect(await failure(join(folder, "new.db"))).toMatchObject({ code: "READ_ONLY" });
      expect(await failure(join(folder, "a", "new.db"))).toMatchObject({ code: "READ_ONLY" });
    } finally {
      unmount(folder);
    }
  });

  it("a watch reports changes without a wake file when there is no room for more files", async ({ skip }) => {
    const folder = mounted("size=4m,nr_inodes=4") ?? skip();
    try {
      const file = join(folder, "jobs.db");
      const opened = await openFile(file);
      const recorder = new Recorder();
      await opened.watch(EVERYTHING, recorder);
      expect(readdirSync(folder).filter((name) => name.includes("wake"))).toEqual([]);
      const writer = start("put", file, "k");
      await writer.next();
      writer.send("1");
      await eventually(() => recorder.values).toEqual(["1"]);
      await opened.close();
    } finally {
      unmount(folder);
    }
  });

  it("a full disk fails the commit with FULL, and commits work again when there is room", async ({ skip }) => {
    const folder = mounted("size=1m") ?? skip();
    try {
      const opened = await openFile(join(folder, "jobs.db"));
      await opened.commit(put("k", "1"));
      const ballast = join(folder, "ballast");
      const big = "x".repeat(300_000);
      expect(() => writeFileSync(ballast, Buffer.alloc(2_000_000))).toThrow(/ENOSPC/);
      const error = await rejection(opened.commit(put("big", big)));
      expect(error).toMatchObject({ code: "FULL", retryable: true, outcome: "not-applied" });
      expect(await get(opened, "k")).toMatchObject({ value: "1" });
      expect(await failure(join(folder, "other.db"))).toMatchObject({ code: "FULL", retryable: true });
      rmSync(ballast);
      await expect(opened.commit(put("big", big))).resolves.toMatchObject({ ok: true });
      await opened.close();
    } finally {
      unmount(folder);
    }
  });
});

describe("one file in one process", () => {
  it("a process has one connection to a database file, however its path is written", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "jobs.db");
    const one = await openFile(file);
    symlinkSync(folder, join(folder, "link"));
    const others = await Promise.all([
      openFile(relative(process.cwd(), file)),
      openFile(join(folder, "link", "jobs.db")),
      openFile(join(folder, ".", "x", "..", "jobs.db")),
    ]);
    const before = openFileDescriptors(file);
    expect(before).toBe(1);
    await Promise.all([one, ...others.slice(1)].map((opened) => opened.close()));
    const last = others[0];
    expect(await last?.commit(put("k", "1"))).toMatchObject({ ok: true });
    await last?.close();
    expect(openFileDescriptors(file)).toBe(0);
  });

  it("a process refuses to open a database file twice with different durability", async () => {
    const file = temporaryFile();
    const one = await openFile(file, undefined, { durability: "host" });
    expect(one.supports.durability).toBe("host");
    expect(await failure(file)).toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining('durability "host", not "process"'),
    });
    await one.close();
    expect((await openFile(file)).supports.durability).toBe("process");
  });

  it("a database file can be opened after an attempt that failed", async () => {
    const file = temporaryFile();
    mkdirSync(file);
    expect(await failure(file)).toMatchObject({ code: "INVALID_CONFIG" });
    rmSync(file, { recursive: true });
    await expect(openFile(file)).resolves.toBeDefined();
  });
});

function openFileDescriptors(file: string): number {
  const target = (fd: string): string => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The handle by which the folder itself was read.
      return "";
    }
  };
  return readdirSync("/proc/self/fd").filter((fd) => target(fd) === file).length;
}

describe("closing the SQLite backend", () => {
  it("close() completes the commits that were made before, and later calls fail with CLOSED", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const pending = Promise.all([opened.commit(put("a", "1")), opened.commit(put("b", "1"))]);
    await opened.close();
    await opened.close();
    await expect(pending).resolves.toMatchObject([{ ok: true }, { ok: true }]);
    for (const call of [
      opened.commit(put("k", "1")),
      opened.read(["k"]),
      opened.scan({ from: "", to: "z", limit: 1, reverse: false, values: true }),
      opened.watch({ from: "", to: "z" }, { change() {}, gap() {}, fail() {} }),
    ]) {
      expect(await rejection(call)).toMatchObject({ code: "CLOSED" });
    }
    expect(await get(await openFile(file), "b")).toMatchObject({ value: "1" });
  });

  it("the SQLite backend does not keep its process alive, whether it is closed or left open", async () => {
    for (const how of ["close", "no-close"]) {
      const file = temporaryFile();
      const program = start("exit", file, how);
      expect(await program.exit).toBe(0);
      expect(openRaw(file).prepare("SELECT value FROM entries WHERE key = 'last'").pluck().get()).toBe("word");
    }
  });

  it("close() leaves no files beside the database", async () => {
    const folder = temporaryFolder();
    const opened = await openFile(join(folder, "jobs.db"));
    await opened.watch(EVERYTHING, new Recorder());
    const stop = await opened.watch({ from: "k", to: "k\0" }, new Recorder());
    await opened.commit(put("k", "1"));
    stop();
    await opened.close();
    expect(readdirSync(folder)).toEqual(["jobs.db"]);
  });
});

describe("a database file that is deleted while it is open", () => {
  it.each(["", "-wal", "-shm"])(
    "calls fail once %j of the database was deleted: another process could take the same lock in a new file",
    async (suffix) => {
      const file = temporaryFile();
      const opened = await openFile(file);
      const recorder = new Recorder();
      await opened.watch(EVERYTHING, recorder);
      await opened.commit(put("k", "1"));
      rmSync(`${file}${suffix}`);
      // The files are checked once a second.
      const error = await untilItFails(() => opened.commit(put("k", "2")));
      expect(error).toMatchObject({ code: "GONE", message: expect.stringContaining("deleted or replaced") });
      expect(await rejection(opened.read(["k"]))).toMatchObject({ code: "GONE" });
      await eventually(() => recorder.failures).toMatchObject([{ code: "GONE", retryable: false }]);
    },
  );
});

async function untilItFails(call: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await call();
      await new Promise((resolve) => setTimeout(resolve, 20));
    } catch (error) {
      return error;
    }
  }
}

describe("versions of commits", () => {
  it("versions keep increasing after the database is opened again", async () => {
    const file = temporaryFile();
    const first = await openFile(file);
    const version = versionOf(await first.commit(put("k", "1")));
    await first.close();
    const next = versionOf(await (await openFile(file)).commit(put("k", "1")));
    expect(BigInt(next)).toBeGreaterThan(BigInt(version));
  });

  it("versions leap after a restart of the host, as a power cut may have taken back some that were given out", async () => {
    const file = temporaryFile();
    const first = await openFile(file);
    const lost = versionOf(await first.commit(put("k", "1")));
    await first.close();
    const db = new Database(file);
    db.prepare("UPDATE meta SET boot = 'before', version = 0").run();
    db.close();
    const next = versionOf(await (await openFile(file)).commit(put("k", "1")));
    expect(BigInt(next)).toBeGreaterThan(BigInt(lost) + 1_000_000n);
  });
});
