import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { jsArgs } from "@ojm/testing/programs";
import { onTestFinished } from "vitest";
import { commandOf } from "../../packages/cli/src/testing/ojm.js";

/*
 * Does what a tutorial says, block by block, as its reader does.
 *
 * - A block whose first line names a file (`// count.mjs`, `# jobs.yaml`) is saved under that name.
 * - Any other block of `sh` is typed. Its first line may name a terminal (`# terminal 2`), and a key
 *   (`# terminal 2: press Ctrl-C`). In it, TERMINAL_1_PID stands for the last "process 123" of that terminal.
 * - A block of `text` right after it is how its output begins. Without one, the commands must end.
 * - A block of `text terminal-2` is what that terminal prints meanwhile or later.
 * - A block of `text becomes-terminal-2` is what one terminal prints that the page has named so far, from
 *   number 2 on. From here on that one is terminal 2.
 * - Each command of a block of `crontab` is run as cron does.
 *
 * An output may differ in its numbers, in the names of the user and the host, and in the width of gaps. `…`
 * stands for the rest of a word or line; a line with nothing else stands for any lines.
 */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where the reader works, on the pages. */
const READERS = "/home/ana/ojm/tutorial";

/** Ends a test that has failed. */
const DEADLINE = 90_000;

/** A terminal gets it once the commands of a block have ended. */
const ENDED = "\u0002";

interface Block {
  readonly line: number;
  readonly language: string;
  /** The terminal of a command or an output. */
  readonly terminal: string;
  /** Whether it is the output right after a command. */
  readonly isOutput: boolean;
  /** Whether any terminal from this number on may have printed it. */
  readonly isOfAny: boolean;
  readonly file: string | undefined;
  readonly key: string | undefined;
  readonly code: string;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const blocks: Block[] = [];
  for (const match of text.matchAll(/^```(\w+)(?: (becomes-)?terminal-(\d+))?\n([\s\S]*?)^```$/gm)) {
    const [, language = "", becomes, later, code = ""] = match;
    const [, number = "1", key] = /^# terminal (\d+)(?:: press (.*))?\n/.exec(code) ?? [];
    const file = /^(?:\/\/|#) ([\w-]+\.\w+)\n/.exec(code)?.[1];
    const before = blocks.at(-1);
    const follows = before?.language === "sh" && before.file === undefined ? before.terminal : undefined;
    const isOutput = language === "text" && later === undefined && follows !== undefined;
    const terminal = later ?? (isOutput ? follows : number);
    const line = text.slice(0, match.index).split("\n").length;
    blocks.push({ line, language, terminal, isOutput, isOfAny: becomes !== undefined, file, key, code });
  }
  return blocks;
}

/** A shell on a terminal of its own, as wide as the outputs on the pages. */
class Shell {
  /** Everything that it printed. */
  out = "";
  #read = 0;
  readonly #script: ChildProcessWithoutNullStreams;

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    const bash = `stty -echo cols 100 rows 40; exec bash --noprofile --noediting --rcfile '${join(folder, ".rc")}' -i`;
    this.#script = spawn("script", ["-qfec", bash, "/dev/null"], { cwd: folder, env });
    // The terminal hangs up, and what was started on it ends.
    onTestFinished(() => void this.#script.kill("SIGKILL"));
    this.#script.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.out += text.replaceAll("\r", "");
    });
  }

  /** Whether its commands have ended. */
  get isIdle(): boolean {
    return this.out.endsWith(ENDED);
  }

  /** What it printed since the last output that was compared. */
  get unread(): string {
    return this.out.slice(this.#read);
  }

  skip(): void {
    this.#read = this.out.length;
  }

  type(text: string): void {
    this.skip();
    this.#script.stdin.write(text);
    this.#script.stdin.write("printf '\\002'\n");
  }
}

/** Waits until a shell has unread output that passes, and takes it as read. Resolves to that shell. */
async function shown(shells: readonly Shell[], passes: (text: string) => boolean, what: string): Promise<Shell> {
  for (const end = performance.now() + DEADLINE; performance.now() < end; await pause(20)) {
    const found = shells.find(({ unread }) => passes(unread));
    found?.skip();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} is not on the terminal:\n${shells.map(({ unread }) => unread).join("\n---\n")}`);
}

/** A text without what may differ. */
function plain(text: string): string {
  return text
    .replaceAll(ENDED, "")
    .replaceAll(`${userInfo().username}@`, "ana@")
    .replaceAll(hostname(), "vm")
    .replaceAll(/-{2,}/g, "--")
    .replaceAll(/\d+(?:[.,]\d+)*/g, "0")
    .replaceAll(/\b0 (?:ms|s|min|h)\b/g, "0 s")
    .replaceAll(/\bnow\b/g, "0 s ago")
    .replaceAll(/ +/g, " ")
    .replaceAll(/ *\n+/g, "\n")
    .replace(/^\n/, "");
}

/** Whether a text has this output: as its start, or at any line. */
function matching(output: string, atStart: boolean): (text: string) => boolean {
  const lines = plain(output).trimEnd().split("\n");
  const patterns = lines.map((line) =>
    line === "…" ? "(?:.*\n)*?.*" : line.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*"),
  );
  const pattern = new RegExp(`^${patterns.join("\n")}\n`, atStart ? "" : "m");
  return (text) => pattern.test(plain(text));
}

/** What a test of a page may change. */
export interface TutorialOptions {
  /** Texts of the page, such as the port of a server, each with the one to use instead. */
  readonly replace?: Readonly<Record<string, string>>;
  /** Ends after the output that has this text. */
  readonly until?: string;
}

/** Does what a page says. Resolves to the folder in which it was done. */
export async function follow(page: string, { replace = {}, until }: TutorialOptions = {}): Promise<string> {
  // Beneath this repository, so that programs find the packages.
  const folder = join(ROOT, "node_modules/.ojm/tutorials", `${basename(page, ".md")}-${process.pid}`);
  const bin = join(folder, ".bin");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const env = environment(folder, bin);
  const shells = new Map<string, Shell>();
  const shellOf = async (terminal: string): Promise<Shell> => {
    const known = shells.get(terminal);
    if (known !== undefined) return known;
    const shell = new Shell(folder, env);
    shells.set(terminal, shell);
    return shown([shell], (text) => text.endsWith(ENDED), `the start of terminal ${terminal}`);
  };
  const pidOn = (terminal: string): string =>
    [...(shells.get(terminal)?.out ?? "").matchAll(/process (\d+)/g)].at(-1)?.[1] ?? "";
  const filled = (text: string): string =>
    Object.entries({
      ...replace,
      [`${READERS}/../node_modules/.bin`]: bin,
      [READERS]: folder,
      TERMINAL_1_PID: pidOn("1"),
      TERMINAL_2_PID: pidOn("2"),
    }).reduce((all, [from, to]) => all.replaceAll(from, to), text);

  const blocks = blocksOf(page);
  for (const [i, { line, language, terminal, isOutput, isOfAny, file, key, code }] of blocks.entries()) {
    const what = `${page}:${line}`;
    if (file !== undefined) writeFileSync(join(folder, file), filled(code));
    else if (language === "sh") {
      const shell = await shellOf(terminal);
      const atStart = shell.isIdle;
      shell.type(key === "Ctrl-C" ? "\u0003" : filled(code));
      const next = blocks[i + 1];
      const passes = next?.isOutput ? matching(filled(next.code), atStart) : (text: string) => text.endsWith(ENDED);
      await shown([shell], passes, next?.isOutput ? `the output of ${what}` : `the end of ${what}`);
    } else if (language === "crontab") await runAsCron(filled(code));
    else if (language === "text" && !isOutput) {
      const some = isOfAny ? [...shells].filter(([number]) => number >= terminal) : [];
      const candidates = isOfAny ? some.map(([, shell]) => shell) : [await shellOf(terminal)];
      const found = await shown(candidates, matching(filled(code), false), what);
      const [number = terminal] = some.find(([, shell]) => shell === found) ?? [];
      const former = shells.get(terminal);
      shells.set(terminal, found);
      if (former !== undefined) shells.set(number, former);
    }
    if (until !== undefined && language === "text" && code.includes(until)) break;
  }
  return folder;
}

/** The environment of a reader who has `ojm` in the path: in the folder `bin`. */
function environment(folder: string, bin: string): NodeJS.ProcessEnv {
  const ojm = commandOf([]).map((word) => `'${word}'`);
  writeFileSync(join(bin, "ojm"), `#!/bin/sh\nexec ${ojm.join(" ")} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, ".rc"), "PS1=; PS2=; printf '\\002'\n");
  const { NO_COLOR: _, OJM_STORE: __, OJM_CONFIG: ___, ...env } = process.env;
  const path = [bin, dirname(process.execPath), env["PATH"]].join(":");
  return { ...env, PATH: path, NODE_OPTIONS: jsArgs().join(" "), TERM: "dumb" };
}

/** Runs the commands of a crontab once, one after the other, with the few variables that cron sets. */
async function runAsCron(crontab: string): Promise<void> {
  const env: NodeJS.ProcessEnv = { HOME: "/", SHELL: "/bin/sh", PATH: "/usr/bin:/bin" };
  for (const line of crontab.split("\n")) {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    const command = /^(?:[\d*/,-]+\s+){5}(.*)$/.exec(line)?.[1];
    // Node may be anywhere on this machine.
    if (name !== "") env[name] = name === "PATH" ? `${value}:${dirname(process.execPath)}` : value;
    else if (command !== undefined) await promisify(execFile)("/bin/sh", ["-c", command], { env, cwd: "/" });
  }
}
