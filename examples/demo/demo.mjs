import { build } from "../../scripts/lib/build.mjs";
import { install } from "../../scripts/lib/install.mjs";
import { root, run } from "../../scripts/lib/run.mjs";

await install();
// For the commands that the demo names, and the pages. The demo itself runs from its source.
await build({ only: ["@ojm/cli", "@ojm/ui"], types: false });
// The demo ends by itself at a Ctrl-C, which both processes get: wait for its last words.
process.on("SIGINT", () => {});
const node = ["--import", "tsx", "--conditions=@ojm/source", "examples/demo/main.ts"];
process.exit(await run(process.execPath, [...node, ...process.argv.slice(2)], { cwd: root }));
