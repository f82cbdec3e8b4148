import { parseArgs } from "node:util";
import { runCell } from "./cell.js";
import { modes } from "./events.js";
import { faults } from "./faults/index.js";
import { lineOf, troubleOf } from "./report.js";
import { storeKinds } from "./stores/index.js";

const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    fault: { type: "string" },
    mode: { type: "string" },
    seed: { type: "string" },
    ttl: { type: "string", default: "800" },
    bug: { type: "string" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
let failed = 0;
for (const kind of storeKinds.filter(({ type }) => values.backend === undefined || type === values.backend)) {
  for (const fault of faults.filter(({ name }) => values.fault === undefined || name === values.fault)) {
    for (const mode of modes.filter((each) => values.mode === undefined || each === values.mode)) {
      const result = await runCell({
        kind,
        fault,
        mode,
        seed,
        ttl: Number(values.ttl),
        ...(values.bug && { bug: values.bug }),
      });
      console.log(lineOf(result));
      if (result.violations.length === 0) continue;
      failed++;
      console.log(troubleOf(result));
    }
  }
}
process.exitCode = failed > 0 ? 1 : 0;
