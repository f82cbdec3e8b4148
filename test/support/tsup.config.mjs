import { readdirSync } from "node:fs";
import torture from "../torture/tsup.config.mjs";

/** The child processes of the tests, each under the path of its source. */
const sources = readdirSync("test", { recursive: true })
  .filter((path) => path.endsWith(".child.ts"))
  // It starts processes of the harness, and would look for them beside itself.
  .filter((path) => !path.endsWith("lane.child.ts"))
  .map((path) => `test/${path}`);

/** Built as the torture harness is. scripts/lib/programs.mjs sets the output folder. */
export default {
  ...torture,
  entry: Object.fromEntries(sources.map((path) => [path.replace(/\.ts$/, ""), path])),
};
