import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { root, run, stop, tool } from "./lib/run.mjs";

// First the driver for Node 20: @ojm/sqlite depends on it, and as it is no package of the workspace,
// changesets do not know of it.
const driver = join(root, "packages/sqlite-node20");
const { name, version } = JSON.parse(readFileSync(join(driver, "package.json"), "utf8"));

await build();
if (!isPublished() && (await run("npm", ["publish", "--access", "public"], { cwd: driver })) !== 0) {
  stop(`${name} ${version} could not be published.`, "See the messages above. Nothing else was published.");
}
process.exit(await tool("changeset", ["publish"]));

function isPublished() {
  const { stdout } = spawnSync("npm", ["view", `${name}@${version}`, "version"], { encoding: "utf8" });
  return stdout.trim() === version;
}
