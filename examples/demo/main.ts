import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, relative } from "node:path";
import { ArgumentError, type Arguments, HELP, readArguments } from "./arguments.js";
import { goOn } from "./live.js";
import { makeWeek } from "./week.js";
import { changingZone, timesOf } from "./world/times.js";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The suffixes of the files that SQLite keeps beside its file. */
const BESIDE = ["", "-wal", "-shm"];

function clear({ file, isOwn }: Arguments): void {
  if (!isOwn && existsSync(file)) {
    throw new ArgumentError(`${file} exists already: remove it, or give --store another name`);
  }
  for (const end of BESIDE) rmSync(file + end, { force: true });
  mkdirSync(dirname(file), { recursive: true });
}

function commands(file: string): string {
  const store = `--store sqlite:${relative(process.cwd(), file)}`;
  return ["jobs", "runs --failed", "why archive-tables", "why invoice-pdf", "logs db-backup", "audit", "ps -w"]
    .map((command) => `  npx @ojm/cli ${command} ${store}`)
    .join("\n");
}

async function main(args: Arguments): Promise<void> {
  clear(args);
  const { file, days, end } = args;
  const began = performance.now();
  const onProgress = (part: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\rsimulating ${days} days … ${Math.round(part * 100)} %`);
  };
  await makeWeek({ ...args, onProgress });
  if (process.stderr.isTTY) process.stderr.write("\n");
  const zone = changingZone(timesOf(end, days));
  const clocks = zone === undefined ? "No clocks were changed in that time" : `Clocks were changed in ${zone}`;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  say(`${days} days until ${new Date(end).toISOString()}, made in ${seconds} s: ${file}`);
  say(`${clocks}. Look at it, in another terminal:\n${commands(file)}`);
  if (args.live) await goOn(args, say);
}

try {
  const args = readArguments(process.argv.slice(2), Date.now());
  if (args === undefined) process.stdout.write(HELP);
  else await main(args);
} catch (error) {
  if (!(error instanceof ArgumentError)) throw error;
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 2;
}
