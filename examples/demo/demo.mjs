import { build } from "../../scripts/lib/build.mjs";
import { install } from "../../scripts/lib/install.mjs";
import { root, run } from "../../scripts/lib/run.mjs";

await install();
// For the commands that the demo names, and the pages. The demo itself runs from its source.
await build({ only: ["@ojm/cli", "@ojm/ui"], types: false });
// Both processes receive a Ctrl-C, at which the demo ends by itself: wait for its last output.
process.on("SIGINT", () => {});
const node = ["--import", "tsx", "--conditions=@ojm/source", "examples/demo/main.ts"];
process.exit(await run(process.execPath, [...node, ...process.argv.slice(2)], { cwd: root }));
