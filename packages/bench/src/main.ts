import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { HEADER, linesOf } from "./report/lines.js";
import { commitNow, loadNow, machineNow } from "./report/machine.js";
import type { Group, Result } from "./report/result.js";
import { measureStore } from "./run/measure-store.js";
import { stores } from "./stores.js";

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const only = values.only?.split(",");
const unknown = only?.filter((name) => stores.every((store) => store.name !== name)) ?? [];
if (unknown.length > 0) {
  console.error(`there is no store "${unknown.join('", "')}": ${stores.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const chosen = stores.filter(({ name }) => only === undefined || only.includes(name));
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));

console.log(
  "A run is: lock, started record, ended record, release. The floor is the store's own driver, written by hand.\n" +
    "A ratio is our cost over the other's, within a round: median (least … most). CPU is that of the main thread and of the server.\n",
);
console.log(HEADER);

const before = loadNow();
const date = new Date().toISOString().slice(0, 10);
const commit = commitNow();
const groups: Group[] = [];
const versions: string[] = [`Node ${process.versions.node}`];
const notMeasured: Record<string, string> = {};

/** Called after each load: an interrupted run keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const machine = machineNow([before, loadNow()]);
  const known = commit === undefined ? {} : { commit };
  const result: Result = { date, ...known, quick: values.quick, machine, versions, groups, notMeasured };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

function onGroup(group: Group): void {
  for (const line of linesOf(group)) console.log(line);
  groups.push(group);
  write();
}

for (const store of chosen) {
  const missing = store.missing();
  if (missing !== undefined) {
    notMeasured[store.name] = missing;
    console.log(`${store.name.padEnd(12)} not measured: ${missing}`);
    write();
    continue;
  }
  const version = store.version();
  if (version !== "") versions.push(version);
  await measureStore(store, { quick: values.quick, rounds, onGroup });
}
