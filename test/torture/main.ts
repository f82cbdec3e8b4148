import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { parseArgs } from "node:util";
import { faults, faultsOf } from "./faults/index.js";
import type { Row } from "./report/finding.js";
import { tableOf } from "./report/table.js";
import { inLanes } from "./run/lanes.js";
import { stampNow } from "./run/stamp.js";
import type { Task } from "./run/task.js";
import { type Mode, modes } from "./scene/events.js";
import { storeKinds } from "./stores/index.js";
import type { StoreKind } from "./stores/store.js";

const USAGE = `npm run torture -- [options]

  Runs the matrix of the torture harness, a line for each cell. Without options: all of it, one cell after the other, which takes two
  hours or more. Three rounds, two cells at a time, take half a day on 2 cores that do nothing else:

    npm run torture -- --jobs 2 --rounds 3 --results FILE --table docs/guarantees.md

  --backend NAME   only on this store: ${storeKinds.map(({ name }) => name).join(", ")};
                   clusters: on all that have several nodes. These need Linux, root and iproute2
  --fault NAME     only this fault; --fault list names all
  --mode NAME      only this mode: ${modes.join(", ")}
  --seed NUMBER    what decides on everything but the system's own timing. Default: one by chance
  --rounds NUMBER  how often, with the next seed each time. Default: 1
  --ttl MS         the time to live of a session. Default: 800
  --jobs NUMBER    how many cells at a time, each in processes of its own. No more than there are cores. Default: 1
  --bug NAME       with a planted bug in all workers; none: with stores as those have them, and no bug
  --results FILE   appends what was found to FILE, a line of JSON for each cell
  --table FILE     after that, writes the tables of all results into FILE: that of the stores of one node between its lines <!-- matrix --> and
                   <!-- /matrix -->, that of those of several nodes between <!-- clusters --> and <!-- /clusters -->
  --commit NAME    only the results of this commit, of those in FILE: a table is of one
`;

const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    fault: { type: "string" },
    mode: { type: "string" },
    seed: { type: "string" },
    rounds: { type: "string", default: "1" },
    ttl: { type: "string", default: "800" },
    jobs: { type: "string", default: "1" },
    bug: { type: "string" },
    results: { type: "string" },
    table: { type: "string" },
    commit: { type: "string" },
    help: { type: "boolean" },
  },
});

/** The one of that name, or all. */
function chosen<T>(all: readonly T[], name: string | undefined, nameOf: (item: T) => string, what: string): T[] {
  const found = all.filter((item) => name === undefined || nameOf(item) === name);
  if (found.length > 0) return found;
  console.error(`there is no ${what} "${name}": ${all.map(nameOf).join(", ")}`);
  process.exit(2);
}

function allTasks(): Task[] {
  const kinds =
    values.backend === "clusters"
      ? storeKinds.filter(({ clustered }) => clustered !== undefined)
      : chosen(storeKinds, values.backend, ({ name }) => name, "backend");
  const which = chosen(faults, values.fault, ({ name }) => name, "fault");
  const how: Mode[] = chosen(modes, values.mode, String, "mode");
  const first = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const more = { ttl: Number(values.ttl), ...(values.bug !== undefined && { bug: values.bug }) };
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
 * Writes the tables for which there are results: the stores of one node have other faults than those of
 * several.
 */
function writeTables(file: string, rows: readonly Row[]): void {
  const single = storeKinds.filter(({ clustered }) => clustered === undefined);
  const several = storeKinds.filter(({ clustered }) => clustered !== undefined);
  writeTable(file, "matrix", single, rows);
  writeTable(file, "clusters", several, rows);
}

/** Between its lines `<!-- mark -->` and `<!-- /mark -->`. */
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

/** All of one commit, if one is chosen. */
function resultsIn(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
    .filter(({ commit }) => values.commit === undefined || commit === values.commit);
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
