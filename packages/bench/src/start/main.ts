import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../report/statistics.js";

const OJM = fileURLToPath(new URL("../../../cli/dist/main.js", import.meta.url));

/** The highest allowed ratio of a start to a bare one. */
const GOALS: Readonly<Record<string, number>> = { simple: 1.9, sqlite: 2.1 };

/** The baseline of a start: Node without work. */
const FLOOR = "node";

/** A job file with one managed job. `init` names the store of its runs and locks. */
function jobFile(init: string): string {
  return `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args: ${init}
  - name: Report
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: report }
    exec: log("making the report")
todo: [Init, Report]
`;
}

const FILES: Readonly<Record<string, string>> = {
  simple: jobFile("{}"),
  sqlite: jobFile(
    "{ chJobs: { type: db, args: { file: ./jobs.db } }, chLocks: { type: db, args: { file: ./locks.db } } }",
  ),
};

/** How long a command takes from its start to its end, in ms. Throws if it fails. */
function time(args: readonly string[], folder: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with exit code ${status}: ${stderr}`);
  return ms;
}

/**
 * The times of each command. The commands take turns, so that other work of the machine falls on all alike.
 */
function measure(rounds: number, folder: string): Map<string, number[]> {
  const commands = new Map<string, readonly string[]>([[FLOOR, ["-e", ""]]]);
  for (const [name, text] of Object.entries(FILES)) {
    writeFileSync(join(folder, `${name}.yaml`), text);
    commands.set(name, [OJM, "run", `${name}.yaml`]);
  }
  for (const args of commands.values()) time(args, folder); // warm-up: creates the files, fills the machine's cache
  const times = new Map([...commands.keys()].map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of commands) times.get(name)?.push(time(args, folder));
  }
  return times;
}

function show(times: ReadonlyMap<string, readonly number[]>): void {
  const floor = times.get(FLOOR) ?? [];
  for (const [name, all] of times) {
    const ratio = median(all) / median(floor);
    const goal = GOALS[name];
    const mark = goal === undefined ? "" : `  goal ${goal}, ${ratio <= goal ? "met" : "over"}`;
    const numbers = [median(all), Math.min(...all)].map((ms) => ms.toFixed(1).padStart(9)).join("");
    console.log(`${name.padEnd(8)}${numbers}${ratio.toFixed(2).padStart(8)}${mark}`);
  }
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "40" } } });
console.log('`ojm run` of a file with one managed job, from start to end, over `node -e ""`, in turns; ms.\n');
console.log("          median     least   ratio of medians");
const folder = mkdtempSync(join(tmpdir(), "ojm-start-"));
try {
  show(measure(Number(values.rounds), folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
