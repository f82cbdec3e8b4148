import { install } from "./lib/install.mjs";
import { root, run } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
const node = ["--import", "tsx", "--import", "./test/golden/host.mjs", "--conditions=@ojm/source"];
process.exit(await run(process.execPath, [...node, "test/golden/make.ts"], { cwd: root }));
