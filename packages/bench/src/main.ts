import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { HEADER, linesOf } from "./report/lines.js";
import { loadNow, machineNow } from "./report/machine.js";
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
const chosen = stores.filter(({ name }) => only === undefined || only.includes(name));
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));

console.log(
  "A run is: lock, started record, ended record, release. The floor is the store's own driver, written by hand.\n" +
    "A ratio is our cost over the other's, within a round: median (least … most). CPU is that of client and server.\n",
);
console.log(HEADER);

const before = loadNow();
const groups: Group[] = [];
const versions: string[] = [`Node ${process.versions.node}`];
const notMeasured: Record<string, string> = {};
for (const store of chosen) {
  const missing = store.missing();
  if (missing !== undefined) {
    notMeasured[store.name] = missing;
    console.log(`${store.name.padEnd(12)}not measured: ${missing}`);
    continue;
  }
  versions.push(store.version());
  const onGroup = (group: Group): void => {
    for (const line of linesOf(group)) console.log(line);
  };
  groups.push(...(await measureStore(store, { quick: values.quick, rounds, onGroup })));
}
const result: Result = {
  date: new Date().toISOString().slice(0, 10),
  quick: values.quick,
  machine: machineNow([before, loadNow()]),
  versions: versions.filter((version) => version !== ""),
  groups,
  notMeasured,
};
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
