import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";

await install();
await build();
// Measure the built packages, as users get them. Only the benchmark itself runs from its source.
const SUBJECTS = [
  "loss",
  "handoff",
  "idle",
  "logs",
  "recovery",
  "cancel",
  "start",
  "scale",
  "schedules",
  "cockpit",
  "pages",
  "chart",
];
const [first, ...rest] = process.argv.slice(2);
const [main, args] = SUBJECTS.includes(first) ? [`${first}/main.ts`, rest] : ["main.ts", process.argv.slice(2)];
const node = ["--expose-gc", "--import", "tsx", `packages/bench/src/${main}`];
process.exit(await run(process.execPath, [...node, ...args], { cwd: root }));
