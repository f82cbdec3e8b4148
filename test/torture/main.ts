import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { parseArgs } from "node:util";
import { faults, faultsOf } from "./faults/index.js";
import { killRunCommand } from "./kill-run/command.js";
import type { Row } from "./report/finding.js";
import { tableOf } from "./report/table.js";
import { inLanes } from "./run/lanes.js";
import { stampNow } from "./run/stamp.js";
import type { Task } from "./run/task.js";
import { type Mode, modes } from "./scene/events.js";
import { storeKinds } from "./stores/index.js";
import type { StoreKind } from "./stores/store.js";

const USAGE = `npm run torture -- [options]
npm run torture -- kill-run [options]     three replicas with schedules or a queue, one killed every few seconds; kill-run --help for more

  Runs the matrix of the torture harness and prints one line for each cell. Without options, it runs all cells one after the other, which takes
  three hours or more. Three rounds, two cells at a time, take half a day on 2 cores that are otherwise idle:

    npm run torture -- --jobs 2 --rounds 3 --results FILE --table docs/proof/fault-matrix.md

  --backend NAME   run only on this store: ${storeKinds.map(({ name }) => name).join(", ")};
                   "clusters" runs on all stores of several nodes, which need Linux, root and iproute2
  --fault NAME     run only this fault; --fault list prints all names
  --mode NAME      run only in this mode: ${modes.join(", ")}
  --seed NUMBER    decides everything but the timing of the system. Default: a random number
  --rounds NUMBER  how many times to run, each time with the next seed. Default: 1
  --ttl MS         the time to live of a session. Default: 800
  --jobs NUMBER    how many cells run at a time, each in its own processes. Use no more than there are cores. Default: 1
  --mixed          half of the workers run the base version of scripts/lib/base.mjs. Each worker is replaced by one of the
                   other version, and again by one of its own, before, during and after the fault
  --bug NAME       plant this bug in all workers. "none" uses the same stores as with a planted bug, but plants no bug
  --results FILE   append the results to FILE, one line of JSON for each cell
  --table FILE     then write the tables of all results into FILE: stores of one node between its lines <!-- matrix --> and
                   <!-- /matrix -->, stores of several nodes between its lines <!-- clusters --> and <!-- /clusters -->,
                   two versions at once between its lines <!-- mixed --> and <!-- /mixed -->
  --commit NAMES   use only the results of these commits, split by commas, from the results file: a column is of one commit
`;

const single = storeKinds.filter(({ clustered }) => clustered === undefined);
const several = storeKinds.filter(({ clustered }) => clustered !== undefined);

const [command, ...rest] = process.argv.slice(2);
if (command === "kill-run") process.exit(await killRunCommand(rest));

const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    fault: { type: "string" },
    mode: { type: "string" },
    seed: { type: "string" },
    rounds: { type: "string", default: "1" },
    ttl: { type: "string", default: "800" },
    jobs: { type: "string", default: "1" },
    // scripts/torture.mjs builds the base version, and gives the option the folder of its programs.
    mixed: { type: "string" },
    bug: { type: "string" },
    results: { type: "string" },
    table: { type: "string" },
    commit: { type: "string" },
    help: { type: "boolean" },
  },
});

/** The item of that name, or all items without a name. Exits with code 2 if no item has that name. */
function chosen<T>(all: readonly T[], name: string | undefined, nameOf: (item: T) => string, what: string): T[] {
  const found = all.filter((item) => name === undefined || nameOf(item) === name);
  if (found.length > 0) return found;
  console.error(`there is no ${what} "${name}": ${all.map(nameOf).join(", ")}`);
  process.exit(2);
}

/** The stores on which cells run. Without a name, no mixed cell runs where it makes no sense. */
function chosenKinds(): readonly StoreKind[] {
  if (values.backend === "clusters") return several;
  if (values.backend === undefined && values.mixed !== undefined) {
    return single.filter(({ lasting, isNew }) => lasting && !isNew);
  }
  return chosen(storeKinds, values.backend, ({ name }) => name, "backend");
}

function allTasks(): Task[] {
  const kinds = chosenKinds();
  const which = chosen(faults, values.fault, ({ name }) => name, "fault");
  const how: Mode[] = chosen(modes, values.mode, String, "mode");
  const first = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const { bug, mixed: base } = values;
  const more = { ttl: Number(values.ttl), ...(bug !== undefined && { bug }), ...(base !== undefined && { base }) };
  const seeds = Array.from({ length: Number(values.rounds) }, (_, round) => first + round);
  return seeds.flatMap((seed) =>
    kinds.flatMap((kind) =>
      which
        .filter((fault) => faultsOf(kind).includes(fault))
        .flatMap(({ name }) => how.map((mode) => ({ backend: kind.name, fault: name, mode, seed, ...more }))),
    ),
  );
}

async function runAll(): Promise<Row[]> {
  const rows: Row[] = [];
  const stamp = stampNow();
  await inLanes(Math.max(1, Number(values.jobs)), allTasks(), ({ text, row }) => {
    console.log(text);
    const stamped = { ...row, ...stamp };
    rows.push(stamped);
    if (values.results !== undefined) appendFileSync(values.results, `${JSON.stringify(stamped)}\n`);
  });
  return rows;
}

/**
 * Writes each table that has results. Stores of one node and of several nodes have different faults, so each
 * group has its own table. So have the cells of two versions.
 */
function writeTables(file: string, rows: readonly Row[]): void {
  const ofOneVersion = rows.filter(({ base }) => base === undefined);
  const ofTwo = rows.filter(({ base }) => base !== undefined);
  writeTable(file, "matrix", single, ofOneVersion);
  writeTable(file, "clusters", several, ofOneVersion);
  writeTable(file, "mixed", single, ofTwo);
}

/**
 * Writes a table between the lines `<!-- mark -->` and `<!-- /mark -->` of `file`. Throws if it has no such
 * lines.
 */
function writeTable(file: string, mark: string, kinds: readonly StoreKind[], all: readonly Row[]): void {
  const rows = all.filter(({ backend }) => kinds.some(({ name }) => name === backend));
  if (rows.length === 0) return;
  const versions = new Set(kinds.filter(({ missing }) => missing === undefined).map((kind) => kind.version()));
  const table = tableOf(rows, [...versions, `Linux ${release().split("-")[0]}`]);
  const text = readFileSync(file, "utf8");
  const marked = new RegExp(`<!-- ${mark} -->[^]*<!-- /${mark} -->`);
  if (!marked.test(text)) throw new Error(`${file} has no lines <!-- ${mark} --> and <!-- /${mark} -->`);
  writeFileSync(
    file,
    text.replace(marked, () => `<!-- ${mark} -->\n${table}\n<!-- /${mark} -->`),
  );
}

/** The results in `file`; with `--commit`, only those of these commits. */
function resultsIn(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
    .filter(({ commit }) => values.commit?.split(",").includes(commit) ?? true);
}

if (values.help) {
  console.log(USAGE);
} else if (values.fault === "list") {
  for (const { name } of faults) console.log(name);
} else {
  const rows = await runAll();
  if (values.table !== undefined) {
    writeTables(values.table, values.results === undefined ? rows : resultsIn(values.results));
  }
  const failed = rows.filter(({ violations }) => violations > 0).length;
  const broken = rows.filter((row) => row.broken !== undefined).length;
  const run = rows.filter((row) => row.skipped === undefined).length - broken;
  console.log(`\ncells run: ${run}, failed: ${failed}${broken === 0 ? "" : `, broken off by the harness: ${broken}`}`);
  process.exitCode = failed > 0 || broken > 0 || run === 0 ? 1 : 0;
}
