import { join } from "node:path";
import { buildBase, whyNoBase } from "./lib/base.mjs";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { buildTorture, built } from "./lib/programs.mjs";
import { root, run, stop } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
// Build the packages, as users get them. A cell starts a dozen processes and threads, and each would spend
// half a second on reading TypeScript.
await build();
if (!(await buildTorture())) stop("The torture harness could not be built.", "See the messages above.");
const words = process.argv.slice(2);
const isMixed = words.includes("--mixed");
const missing = isMixed ? whyNoBase() : undefined;
if (missing !== undefined) stop("Two versions cannot be mixed here.", missing);
const base = isMixed ? await buildBase() : "";
const args = words.map((word) => (word === "--mixed" ? `--mixed=${base}` : word));
process.exit(await run(process.execPath, [join(built, "main.js"), ...args], { cwd: root }));
