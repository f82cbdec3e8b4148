import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
const node = ["--import", "tsx", "--conditions=@ojm/source", "test/torture/main.ts"];
process.exit(await run(process.execPath, [...node, ...process.argv.slice(2)], { cwd: root }));
