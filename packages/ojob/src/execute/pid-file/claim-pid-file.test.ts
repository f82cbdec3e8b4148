import { execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ProcessIdentity, processIdentity } from "@ojm/core/internal";
import { folderWith } from "@ojm/testing/folder";
import { programArgs } from "@ojm/testing/programs";
import { describe, expect, onTestFinished, test } from "vitest";
import { Log } from "../../output/log.js";
import { runJobFile } from "../../run.js";
import { runText, script } from "../../testing/run-file.js";
import { claimPidFile, probeHolder, type SocketAddress } from "./claim-pid-file.js";

const run = promisify(execFile);
const ON_LINUX = existsSync("/proc/self/stat");
const NAMESPACE = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
const HAS_NAMESPACES = ON_LINUX && spawnSync("unshare", [...NAMESPACE, "true"]).status === 0;

interface Sleeper {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  readonly alive: () => boolean;
}

/** A process that runs until it is ended. */
async function sleeper(code = ""): Promise<Sleeper> {
  const child = spawn(process.execPath, ["-e", `${code}; setInterval(() => {}, 1000); process.stdout.write("up")`]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return { pid: child.pid ?? 0, ended, alive };
}

/** The pid file that a process of ojm would have written. */
function fileOf(pid: number, other: Partial<ProcessIdentity> = {}): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return `${pid}\n${JSON.stringify({ ...processIdentity(), pid, started, ...other })}\n`;
}

function program(name: string, ...parameters: string[]): string[] {
  return [process.execPath, ...programArgs(new URL(name, import.meta.url)), ...parameters];
}

function pidFile(text: string): string {
  return join(folderWith({ "a.pid": text }), "a.pid");
}

const yaml = (file: string, more = ""): string =>
  `ojob: { unique: { pidFile: ${file}${more} } }\n${script(`log(require("fs").readFileSync("${file}", "utf8").split("\\n")[0])`)}`;

const KILL = ", killPrevious: true";

describe("ojob.unique", () => {
  test("a run with ojob.unique holds the pid file while its jobs run, and leaves no file behind", async () => {
    const folder = folderWith({});
    expect((await runText(yaml(join(folder, "a.pid")))).lines).toEqual([String(process.pid)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a pid file of a process that is gone, or an empty pid file, does not block a run", async () => {
    const { pid, ended } = await sleeper();
    process.kill(pid, "SIGKILL");
    await ended;
    const folder = folderWith({});
    const file = join(folder, "a.pid");
    for (const text of [`${pid}\n`, "", "\0\0\0\0"]) {
      writeFileSync(file, text);
      expect((await runText(yaml(file))).lines).toEqual([String(process.pid)]);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("ojob.unique never replaces a file that is not a pid file", async () => {
    const folder = folderWith({ folder: "" });
    const texts = ["jobs: []\n", "x".repeat(100_000), "12 monkeys\n", "-1\n"];
    for (const [index, text] of texts.entries()) {
      const file = join(folder, `${index}.yaml`);
      writeFileSync(file, text);
      const { well, err } = await runText(yaml(file, KILL));
      expect(well).toBe(false);
      expect(err).toMatch(/is not a pid file, so it is left alone: give "pidFile" a name of its own/);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });

  test("ojob.unique lets one process at a time in, however many compete, despite files that dead ones left", async () => {
    const folder = folderWith({ "a.pid": "999999999\n" });
    const [node = "", ...parameters] = program("./claim-pid-file.child.ts", folder, "20");
    const child = (): ReturnType<typeof run> => run(node, parameters);
    const outputs = await Promise.all([child(), child(), child(), child()]);
    expect(outputs.map(({ stdout, stderr }) => `${stdout}${stderr}`)).toEqual(["", "", "", ""]);
    expect(readdirSync(folder).filter((name) => !name.endsWith(".sock"))).toEqual(["a.pid"]);
    // The sockets of all other dead processes are removed with their files.
    expect(readdirSync(folder).length).toBeLessThanOrEqual(2);
  });

  test("ojob.unique refuses a second run within the same process, and never ends that process", async () => {
    const file = join(folderWith({}), "a.pid");
    const letGo = await claimPidFile({ pidFile: file }, 0);
    const text = readFileSync(file, "utf8");
    for (const more of ["", KILL]) {
      const { well, err } = await runText(yaml(file, more));
      expect(well).toBe(false);
      expect(err).toMatch(new RegExp(`running already: pid ${process.pid} \\(.*, held by this very process\\)`));
    }
    expect(readFileSync(file, "utf8")).toBe(text);
    letGo();
    expect(existsSync(file)).toBe(false);
  });

  test("a pid file that cannot be written, or is a folder, is an error that says so", async () => {
    expect((await runText(yaml("/no/such/a.pid"))).err).toMatch(/the pid file \/no\/such\/a\.pid cannot be written/);
    const inFile = join(folderWith({ "a.txt": "" }), "a.txt", "a.pid");
    expect((await runText(yaml(inFile))).err).toMatch(/the pid file .*a\.pid cannot be (written|cleared away|read)/);
    const folder = join(folderWith({}), "a.pid");
    mkdirSync(folder);
    expect((await runText(yaml(folder))).err).toMatch(/a\.pid is not a pid file/);
  });
});

describe.skipIf(!ON_LINUX)("the process that a pid file names", () => {
  test("a run is refused while the process that its pid file names is alive, and the error names the process", async () => {
    const { pid, alive } = await sleeper();
    const text = fileOf(pid);
    const file = pidFile(text);
    const { well, lines, err } = await runText(yaml(file));
    expect({ well, lines }).toEqual({ well: false, lines: [] });
    expect(err).toMatch(new RegExp(`this job file is running already: pid ${pid} \\(`));
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(alive()).toBe(true);
  });

  test.each([
    ["by SIGTERM", 'process.on("SIGTERM", () => process.exit(7))', [7, null]],
    ["by SIGKILL after the grace", 'process.on("SIGTERM", () => {})', [null, "SIGKILL"]],
  ])("killPrevious ends the process that the pid file names: %s", async (_, code, how) => {
    const { pid, ended } = await sleeper(code);
    // A grace period of 0 would end before the process reaches its handler.
    const options = { grace: how[1] === null ? 60_000 : 100 };
    const { lines } = await runText(yaml(pidFile(fileOf(pid)), KILL), options);
    expect(lines).toEqual([String(process.pid)]);
    expect(await ended).toEqual(how);
  });

  /** Each names the pid of an innocent process. */
  const INNOCENT: readonly [string, (pid: number) => string][] = [
    ["of another boot", (pid) => fileOf(pid, { boot: "a boot before" })],
    ["of a process whose number is used again", (pid) => fileOf(pid, { started: "1" })],
  ];
  test.each(INNOCENT)(
    "a pid file %s is stale: the process that has the pid now blocks no run, and lives on",
    async (_, text) => {
      for (const more of ["", KILL]) {
        const { pid, alive } = await sleeper();
        expect((await runText(yaml(pidFile(text(pid)), more))).lines).toEqual([String(process.pid)]);
        expect(alive()).toBe(true);
      }
    },
  );

  const UNCLEAR: readonly [string, (pid: number) => string, RegExp][] = [
    [
      "of another pid namespace",
      (pid) => fileOf(pid, { namespace: "pid:[1]" }),
      /names process \d+ of another pid namespace/,
    ],
    ["with a pid only", (pid) => `${pid}\n`, /names process \d+, but does not prove that it is the same process/],
    [
      "with an identity of another pid",
      (pid) => `${pid}\n${fileOf(process.pid).split("\n")[1]}\n`,
      /but does not prove that it is the same process/,
    ],
    ["with a damaged identity", (pid) => `${pid}\n{"pid":${pid}\n`, /but does not prove that it is the same process/],
  ];
  test.each(UNCLEAR)("an unclear pid file %s: nothing is started, ended or replaced", async (_, text, why) => {
    for (const more of ["", KILL]) {
      const { pid, alive } = await sleeper();
      const file = pidFile(text(pid));
      const { well, lines, err } = await runText(yaml(file, more));
      expect({ well, lines }).toEqual({ well: false, lines: [] });
      expect(err).toMatch(why);
      expect(err).toMatch(/nothing was started or ended\. If it does not run, remove the file/);
      expect(readFileSync(file, "utf8")).toBe(text(pid));
      expect(alive()).toBe(true);
    }
  });

  const BEFORE_US: readonly [string, () => string][] = [
    ["with our pid only", () => `${process.pid}\n`],
    ["of a process before us", () => fileOf(process.pid, { started: "1" })],
    ["of a boot before this one", () => fileOf(process.pid, { boot: "a boot before" })],
  ];
  test.each(BEFORE_US)("a pid file %s is replaced, though its pid is that of this process", async (_, text) => {
    for (const more of ["", KILL]) {
      expect((await runText(yaml(pidFile(text()), more))).lines).toEqual([String(process.pid)]);
    }
  });

  test.skipIf(!HAS_NAMESPACES)("killPrevious waits for a process no longer than its bound, and names it", async () => {
    // The first process of a pid namespace gets no signal from within it for which it has no handler, SIGKILL
    // included.
    const command = program("./unkillable.child.ts").map((word) => `'${word}'`);
    const { stdout } = await run("unshare", [...NAMESPACE, "sh", "-c", `${command.join(" ")}; exit 0`]);
    expect(stdout).toMatch(/^the previous process, pid 1, does not end: it still exists 50 ms after SIGKILL/);
  });
});

describe.skipIf(!HAS_NAMESPACES)("a pid file on a volume that containers share", () => {
  /** Runs a process in a pid namespace of its own that takes the pid file. Resolves once it holds it. */
  async function container(file: string, then: "stay" | "die"): Promise<Sleeper> {
    const command = program("./holder.child.ts", file, then).map((word) => `'${word}'`);
    // Not the first process of its namespace: that one ignores its own SIGKILL.
    const child = spawn("unshare", [...NAMESPACE, "--kill-child", "sh", "-c", `${command.join(" ")}; exit 0`]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    if (then === "die") await ended;
    return { pid: child.pid ?? 0, ended, alive: () => child.exitCode === null && child.signalCode === null };
  }

  test("a pid file of a container that died is taken over, and its socket is cleared away", async () => {
    for (const more of ["", KILL]) {
      // The path of the socket is longer than the system allows for one.
      const folder = join(folderWith({}), "x".repeat(120));
      mkdirSync(folder);
      const file = join(folder, "a.pid");
      await container(file, "die");
      expect(readdirSync(folder).length).toBe(2);
      expect((await runText(yaml(file, more))).lines).toEqual([String(process.pid)]);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test("a pid file of a container that lives stays: nothing is started, ended or replaced", async () => {
    const file = join(folderWith({}), "a.pid");
    const { alive } = await container(file, "stay");
    const text = readFileSync(file, "utf8");
    const { socket } = JSON.parse(text.split("\n")[1] ?? "") as { socket: { name: string } };
    expect(statSync(join(file, "..", socket.name)).mode & 0o777).toBe(0o600);
    for (const more of ["", KILL]) {
      const { well, lines, err } = await runText(yaml(file, more));
      expect({ well, lines }).toEqual({ well: false, lines: [] });
      expect(err).toMatch(/running already: pid \d+ of another container of this host \(/);
      expect(err.includes("It cannot be ended from here")).toBe(more === KILL);
      expect(readFileSync(file, "utf8")).toBe(text);
      expect(alive()).toBe(true);
    }
  });
});

describe.skipIf(!ON_LINUX)("the holder of a pid file", () => {
  test("the holder of a pid file counts as alive while it is suspended, however many ask for it", async () => {
    const { file, socket } = await listener("SIGSTOP");
    const asked = await Promise.all(Array.from({ length: 600 }, () => probeHolder(file, socket)));
    expect(new Set(asked)).toEqual(new Set(["there"]));
  });

  test("the holder of a pid file is unknown, not gone, if its socket is missing or is another one", async () => {
    const { file, socket } = await listener("SIGKILL");
    expect(await probeHolder(file, socket)).toBe("gone");
    expect(await probeHolder(file, { ...socket, dev: socket.dev + 1 })).toBe("unknown");
    expect(await probeHolder(file, { ...socket, ino: socket.ino + 1 })).toBe("unknown");
    rmSync(join(file, "..", socket.name));
    expect(await probeHolder(file, socket)).toBe("unknown");
  });

  test("a process that takes over a stale pid file leaves the file of a faster process", async () => {
    const { file } = await listener("SIGKILL");
    // Only the socket can prove that a process of another container is gone, and that answer takes a moment.
    const [pid, identity = ""] = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, `${pid}\n${JSON.stringify({ ...JSON.parse(identity), namespace: "pid:[1]" })}\n`);
    const faster = await sleeper();
    const before = readdirSync(join(file, ".."));
    const claimed = claimPidFile({ pidFile: file }, 0);
    claimed.catch(() => {});
    // Once it has written its own file, it has read the stale one, and waits for the socket.
    const isWaiting = (): boolean => readdirSync(join(file, "..")).some((name) => /^a\.pid\.[0-9a-f-]{36}$/.test(name));
    for (let ticks = 0; !isWaiting() && ticks < 1_000; ticks++) await new Promise(process.nextTick);
    expect(isWaiting()).toBe(true);
    const text = fileOf(faster.pid);
    writeFileSync(`${file}.faster`, text, { mode: 0o600 });
    renameSync(`${file}.faster`, file);
    await expect(claimed).rejects.toThrow(`this job file is running already: pid ${faster.pid} (`);
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(before).toEqual(expect.arrayContaining(readdirSync(join(file, ".."))));
  });

  test("a process that ends leaves the pid file of another one that has taken its place", async () => {
    const file = join(folderWith({}), "a.pid");
    const letGo = await claimPidFile({ pidFile: file }, 0);
    const { pid } = await sleeper();
    // Like an operator who removes the file and starts the job file again.
    rmSync(file);
    writeFileSync(file, fileOf(pid), { mode: 0o600 });
    letGo();
    expect(readFileSync(file, "utf8")).toBe(fileOf(pid));
  });

  /** A process that holds a pid file and has got this signal. */
  async function listener(signal: NodeJS.Signals): Promise<{ file: string; socket: SocketAddress }> {
    const file = join(folderWith({}), "a.pid");
    const [node = "", ...parameters] = program("./holder.child.ts", file);
    const child = spawn(node, parameters);
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    child.kill(signal);
    if (signal === "SIGKILL") await ended;
    const { socket } = JSON.parse(readFileSync(file, "utf8").split("\n")[1] ?? "") as { socket: SocketAddress };
    return { file, socket };
  }
});

const IS_ROOT = process.getuid?.() === 0;
const OF_OTHERS = `a pid file of others${IS_ROOT ? "" : ": only root can give files away"}`;

describe.skipIf(!ON_LINUX)("a pid file, or a file of a take-over, that another user could have written", () => {
  const UNTRUSTED: readonly [string, boolean, (file: string) => void, RegExp][] = [
    ["of another user", !IS_ROOT, (file) => chownSync(file, 54_321, 54_321), /belongs to another user \(uid 54321\)/],
    ["that all may write to", false, (file) => chmodSync(file, 0o666), /others may write to it/],
    [
      "that its group may write to",
      !IS_ROOT,
      (file) => [chownSync(file, 0, 54_321), chmodSync(file, 0o664)],
      /others may/,
    ],
  ];
  test.each(UNTRUSTED)(
    "%s ends no process: nothing is started or replaced (root: %s)",
    async (_, skipped, give, why) => {
      if (skipped) return console.warn(OF_OTHERS);
      for (const more of ["", KILL]) {
        const { pid, alive } = await sleeper();
        const file = pidFile(fileOf(pid));
        give(file);
        const { well, lines, err } = await runText(yaml(file, more));
        expect({ well, lines }).toEqual({ well: false, lines: [] });
        expect(err).toMatch(why);
        expect(err).toMatch(/nothing was started or ended/);
        expect(alive()).toBe(true);
        expect(readFileSync(file, "utf8")).toBe(fileOf(pid));
      }
    },
  );

  test.each(UNTRUSTED)("%s in the place of a take-over is not obeyed (root: %s)", async (_, skipped, give, why) => {
    if (skipped) return console.warn(OF_OTHERS);
    const text = "999999999\n";
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
    const folder = folderWith({ "a.pid": text, [`a.pid.${hash}.takeover`]: text });
    give(join(folder, `a.pid.${hash}.takeover`));
    const { well, err } = await runText(yaml(join(folder, "a.pid"), KILL));
    expect(well).toBe(false);
    expect(err).toMatch(why);
    expect(readdirSync(folder).length).toBe(2);
  });
});

describe("symbolic links and the pid file", () => {
  test("a symbolic link in the place of the pid file is not followed", async () => {
    const folder = folderWith({ "target.txt": "999999999\n" });
    for (const target of ["target.txt", "none.txt"]) {
      const file = join(folder, `${target}.pid`);
      symlinkSync(join(folder, target), file);
      const { well, err } = await runText(yaml(file, KILL));
      expect(well).toBe(false);
      expect(err).toMatch(/the pid file .* is a symbolic link, which is not followed: remove it/);
      expect(lstatSync(file).isSymbolicLink()).toBe(true);
    }
    expect(readFileSync(join(folder, "target.txt"), "utf8")).toBe("999999999\n");
    expect(existsSync(join(folder, "none.txt"))).toBe(false);
  });

  test("a symbolic link beside the pid file leaves its target unchanged", async () => {
    const folder = folderWith({ "target.txt": "precious" });
    const file = join(folder, "a.pid");
    symlinkSync(join(folder, "target.txt"), `${file}.${process.pid}`);
    expect((await runText(yaml(file))).lines).toEqual([String(process.pid)]);
    expect(readFileSync(join(folder, "target.txt"), "utf8")).toBe("precious");
  });
});

describe.skipIf(!ON_LINUX)("a pid file", () => {
  test("a pid file is for its owner alone, whatever the umask", async () => {
    const file = join(folderWith({}), "a.pid");
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const letGo = await claimPidFile({ pidFile: file }, 0);
    onTestFinished(letGo);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  /** A stale pid file, and the name of the file that lets one process at a time remove it. */
  function leftBehind(): { file: string; folder: string; turn: string } {
    const text = "999999999\n";
    const folder = folderWith({ "a.pid": text });
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
    return { folder, file: join(folder, "a.pid"), turn: join(folder, `a.pid.${hash}.takeover`) };
  }

  test("a stale pid file that a process died clearing away is cleared away by the next process", async () => {
    const { pid, ended } = await sleeper();
    const { folder, file, turn } = leftBehind();
    writeFileSync(turn, fileOf(pid));
    process.kill(pid, "SIGKILL");
    await ended;
    expect((await runText(yaml(file))).lines).toEqual([String(process.pid)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a stale pid file that another process is still clearing away is an error that names that process", async () => {
    const { pid } = await sleeper();
    const { file, turn } = leftBehind();
    writeFileSync(turn, fileOf(pid));
    const { well, err } = await runText(yaml(file));
    expect(well).toBe(false);
    expect(err).toMatch(/another process has been removing the pid file for \d+ ms: .*takeover names that process/);
    expect([file, turn].map(existsSync)).toEqual([true, true]);
  });

  test("a pid file is there until the stores and the log are closed", async () => {
    const file = join(folderWith({}), "a.pid");
    const job = join(folderWith({ "jobs.yaml": yaml(file) }), "jobs.yaml");
    const there: boolean[] = [];
    class Watched extends Log {
      override async close(): Promise<void> {
        await super.close();
        there.push(existsSync(file));
      }
    }
    const fd = openSync("/dev/null", "w");
    expect(await runJobFile(job, { log: new Watched(fd, fd) })).toBe(true);
    closeSync(fd);
    expect([...there, existsSync(file)]).toEqual([true, false]);
  });
});
