import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
const node = ["--import", "tsx", "--conditions=@ojm/source", "test/golden/make.ts"];
process.exit(await run(process.execPath, node, { cwd: root }));
