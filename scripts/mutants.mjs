import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
const args = ["--import", "tsx", "--conditions=@ojm/source", "test/mutants/main.ts", ...process.argv.slice(2)];
process.exit(await run(process.execPath, args, { cwd: root }));
