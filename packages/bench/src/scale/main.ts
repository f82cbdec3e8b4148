import { parseArgs } from "node:util";
import { stores } from "../stores.js";
import { measureNames } from "./names.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, names: { type: "string", default: "1,1000,100000" } },
});
const only = values.only?.split(",");
console.log("ten records of each name; times in ms, prune over the time in which its records were written\n");
console.log("store       names    records  written/s  history: newest ten   ten of a window   prune of half");
for (const store of stores) {
  if (store.name === "postgresql" || (only !== undefined && !only.includes(store.name))) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  for (const names of values.names.split(",").map(Number)) {
    const { records, insertPerSecond, newest, window, prune } = await measureNames(store, names);
    const counts = `${String(names).padStart(9)}${String(records).padStart(11)}${String(insertPerSecond).padStart(11)}`;
    const reads = `${newest.toFixed(2).padStart(19)}${window.toFixed(2).padStart(18)}`;
    console.log(`${store.name.padEnd(8)}${counts}${reads}${`${prune.toFixed(2)} ×`.padStart(16)}`);
  }
}
