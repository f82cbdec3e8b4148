import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { commitNow, loadNow, machineNow } from "../report/machine.js";
import { stores } from "../stores.js";
import { measureCockpit } from "./measure.js";
import type { ApiDocument } from "./questions.js";
import { type CockpitResult, HEADER, lineOf, missedOf, type Row, type SizeRow, sizeLineOf } from "./rows.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "sqlite,redis,etcd" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
    times: { type: "string" },
    /** For a first estimate of another size. */
    sizes: { type: "string" },
  },
});

/** Stores that several processes share. */
const chosen = stores.filter(({ name, missing }) => {
  if (!values.only.split(",").includes(name)) return false;
  const why = missing();
  if (why !== undefined) console.log(`${name} not measured: ${why}`);
  return why === undefined;
});
const [small = 10_000, large = 1_000_000] =
  values.sizes?.split(",").map(Number) ?? (values.quick ? [1_000, 50_000] : []);
const times = Number(values.times ?? (values.quick ? 20 : 100));

const file = createRequire(import.meta.url).resolve("@ojm/ui/openapi.json");
const document = JSON.parse(readFileSync(file, "utf8")) as ApiDocument;
const known = { commit: commitNow(), before: loadNow(), date: new Date().toISOString().slice(0, 10) };
const sizes: SizeRow[] = [];
const rows: Row[] = [];

/** Called after each row: an interrupted call keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const { commit, before, date } = known;
  const machine = machineNow([before, loadNow()]);
  const result: CockpitResult = { kind: "cockpit", date, ...(commit && { commit }), machine, sizes, rows };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

console.log(
  `Each GET route of the UI's API, ${times} times, at ${small} and at ${large} runs of 500 names in 7 days, in turns.\n`,
);
for (const store of chosen) {
  let isFirst = true;
  await measureCockpit(store, {
    document,
    sizes: [small, large],
    times,
    onSize: (row) => {
      sizes.push(row);
      console.log(sizeLineOf(row));
      write();
    },
    onRow: (row) => {
      if (isFirst) console.log(`\n${HEADER}`);
      isFirst = false;
      rows.push(row);
      console.log(lineOf(row));
      write();
    },
  });
  console.log("");
}
const missed = rows.filter((row) => missedOf(row).length > 0);
console.log(
  missed.length === 0 ? "Each goal is reached." : `${missed.length} of ${rows.length} questions miss a goal.`,
);
