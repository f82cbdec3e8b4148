import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { run, stop } from "./lib/run.mjs";

const FILE = "examples/quick-start.yaml";

await install();
await build({ only: "@ojm/cli", types: false });
for (const args of [
  ["run", FILE],
  ["history", FILE],
  ["locks", FILE],
]) {
  console.log(`\n$ npx ojm ${args.join(" ")}`);
  const code = await run(process.execPath, ["packages/cli/dist/main.js", ...args]);
  if (code !== 0) stop(`ojm ${args.join(" ")} ended with exit code ${code}.`, "Its messages above say why.");
}
