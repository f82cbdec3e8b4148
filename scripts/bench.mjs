import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { root, run, stop } from "./lib/run.mjs";
import { hashOf, isDone, markDone } from "./lib/stamp.mjs";

const SUBJECTS = [
  "bloat",
  "clients",
  "loss",
  "queue",
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
const [subject, args] = SUBJECTS.includes(first) ? [first, rest] : [undefined, process.argv.slice(2)];

await install();
if (measuresRivals()) await installRivals();
// Measure the built packages, as users get them. Only the benchmark itself runs from its source.
await build();
const main = subject === undefined ? "main.ts" : `${subject}/main.ts`;
const node = ["--expose-gc", "--import", "tsx", `packages/bench/src/${main}`];
process.exit(await run(process.execPath, [...node, ...args], { cwd: root }));

/** Whether third-party libraries take part. */
function measuresRivals() {
  const options = { only: { type: "string" }, what: { type: "string" }, against: { type: "string" } };
  const { only, what, against } = parseArgs({ args, options, strict: false }).values;
  if (subject === "pages") return what === undefined || what.includes("rivals");
  if (subject === "loss") return true;
  if (subject !== undefined && (subject !== "queue" || what === "workers" || against === "ojm")) return false;
  return only === undefined || only.includes("redis") || only.includes("postgres");
}

/** Installs the third-party libraries, which have a lock file of their own, unless they are installed. */
async function installRivals() {
  const folder = join(root, "packages/bench/rivals");
  const hash = hashOf([join(folder, "package.json"), join(folder, "package-lock.json")]);
  if (existsSync(join(folder, "node_modules")) && isDone("install-rivals", hash)) return;
  console.error("installing the rivals …");
  markDone("install-rivals");
  const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  if ((await run("npm", npm, { cwd: folder, quiet: true })) !== 0) {
    stop("The rivals could not be installed.", "See the messages above. --only simple,level,sqlite,etcd needs none.");
  }
  markDone("install-rivals", hash);
}
