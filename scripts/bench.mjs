import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";

await install();
await build();
// The built packages are measured, as users get them; only the benchmark itself is run from its source.
const node = ["--expose-gc", "--import", "tsx", "packages/bench/src/main.ts"];
process.exit(await run(process.execPath, [...node, ...process.argv.slice(2)], { cwd: root }));
