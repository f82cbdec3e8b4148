import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { run, stop } from "./lib/run.mjs";

const FILE = "examples/quick-start.yaml";

await install();
// The packages that the commands below, and the suggested ones, need. @ojm/cli brings simple and SQLite.
await build({ only: ["@ojm/cli", "@ojm/level", "@ojm/redis", "@ojm/etcd", "@ojm/postgres", "@ojm/ui"], types: false });
for (const args of [
  ["run", FILE],
  ["history", FILE],
  ["locks", FILE],
]) {
  console.log(`\n$ npx @ojm/cli ${args.join(" ")}`);
  const code = await run(process.execPath, ["packages/cli/dist/main.js", ...args]);
  if (code !== 0) stop(`ojm ${args.join(" ")} ended with exit code ${code}.`, "Its messages above say why.");
}
console.log(`
What to try next:

  npx @ojm/cli run examples/init/level.yaml           the same job file on LevelDB; redis.yaml, etcd.yaml and postgres.yaml need a server
  npx @ojm/cli ui --store ${FILE}   its runs in a browser, until Ctrl-C
  npx @ojm/cli run examples/guide/basic-job.yaml      the first of the guide's examples; examples/guide/README.md lists them
`);
