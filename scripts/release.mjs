import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { root, run, stop, tool } from "./lib/run.mjs";

// Publish the driver for Node 20 first, because @ojm/sqlite depends on it. It is not in the workspace, so
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
