import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";

await install();
await build();
// The built packages are measured, as users get them; only the benchmark itself is run from its source.
const [first, ...rest] = process.argv.slice(2);
// `loss`: when a holder learns that its lock is gone, beside other libraries.
const [main, args] = first === "loss" ? ["loss/main.ts", rest] : ["main.ts", process.argv.slice(2)];
const node = ["--expose-gc", "--import", "tsx", `packages/bench/src/${main}`];
process.exit(await run(process.execPath, [...node, ...args], { cwd: root }));
