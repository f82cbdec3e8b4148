import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { parseArgs } from "node:util";
import { runCell } from "./cell.js";
import { type Mode, modes } from "./events.js";
import { faults } from "./faults/index.js";
import { lineOf, troubleOf } from "./report.js";
import { storeKinds } from "./stores/index.js";
import { type Row, rowOf, tableOf } from "./table.js";

const USAGE = `npm run torture -- [options]

  Runs the matrix of the torture harness, a line for each cell. Without options: all of it, which takes about an hour.

  --backend NAME   only on this store: ${storeKinds.map(({ type }) => type).join(", ")}
  --fault NAME     only this fault; --fault list names all
  --mode NAME      only this mode: ${modes.join(", ")}
  --seed NUMBER    what decides on everything but the system's own timing. Default: one by chance
  --rounds NUMBER  how often, with the next seed each time. Default: 1
  --ttl MS         the time to live of a session. Default: 800
  --bug NAME       with a planted bug in all workers
  --results FILE   appends what was found to FILE, a line of JSON for each cell
  --table FILE     after that, writes the table of all results into FILE, between its lines <!-- matrix --> and <!-- /matrix -->
`;

const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    fault: { type: "string" },
    mode: { type: "string" },
    seed: { type: "string" },
    rounds: { type: "string", default: "1" },
    ttl: { type: "string", default: "800" },
    bug: { type: "string" },
    results: { type: "string" },
    table: { type: "string" },
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

async function runAll(): Promise<Row[]> {
  const kinds = chosen(storeKinds, values.backend, ({ type }) => type, "backend");
  const which = chosen(faults, values.fault, ({ name }) => name, "fault");
  const how: Mode[] = chosen(modes, values.mode, String, "mode");
  const first = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const rows: Row[] = [];
  for (let seed = first; seed < first + Number(values.rounds); seed++) {
    for (const kind of kinds) {
      for (const fault of which) {
        for (const mode of how) {
          const bug = values.bug === undefined ? {} : { bug: values.bug };
          const result = await runCell({ kind, fault, mode, seed, ttl: Number(values.ttl), ...bug });
          console.log(lineOf(result));
          if (result.violations.length > 0) console.log(troubleOf(result));
          rows.push(rowOf(result));
          if (values.results !== undefined) appendFileSync(values.results, `${JSON.stringify(rows.at(-1))}\n`);
        }
      }
    }
  }
  return rows;
}

function writeTable(file: string, rows: readonly Row[]): void {
  const versions = storeKinds.filter(({ missing }) => missing === undefined).map((kind) => kind.version());
  const table = tableOf(rows, [...versions, `Linux ${release().split("-")[0]}`], new Date().toISOString().slice(0, 10));
  const text = readFileSync(file, "utf8");
  const marked = /<!-- matrix -->[\s\S]*<!-- \/matrix -->/;
  if (!marked.test(text)) throw new Error(`${file} has no lines <!-- matrix --> and <!-- /matrix -->`);
  writeFileSync(
    file,
    text.replace(marked, () => `<!-- matrix -->\n${table}\n<!-- /matrix -->`),
  );
}

function resultsIn(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Row);
}

if (values.help) {
  console.log(USAGE);
} else if (values.fault === "list") {
  for (const { name } of faults) console.log(name);
} else {
  const rows = await runAll();
  if (values.table !== undefined) {
    writeTable(values.table, values.results === undefined ? rows : resultsIn(values.results));
  }
  const failed = rows.filter(({ violations }) => violations > 0).length;
  const run = rows.filter(({ skipped }) => skipped === undefined).length;
  console.log(`\ncells run: ${run}, failed: ${failed}`);
  process.exitCode = failed > 0 || run === 0 ? 1 : 0;
}
