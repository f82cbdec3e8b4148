import { readdirSync } from "node:fs";
import torture from "../torture/tsup.config.mjs";

/** The child processes of a folder's tests, each under the path of its source. */
function childrenIn(folder) {
  const sources = readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith(".child.ts"))
    // It starts processes of the harness, and would look for them beside itself.
    .filter((path) => !path.endsWith("lane.child.ts"))
    .map((path) => `${folder}/${path}`);
  return Object.fromEntries(sources.map((path) => [path.replace(/\.ts$/, ""), path]));
}

/** Children that use the inside of their package: they stand in it, to find what it depends on. */
const OWN = ["packages/core/src", "packages/nestjs/src", "packages/ojob/src/execute/pid-file", "packages/sqlite/src"];

export default [
  // Built as the torture harness is.
  {
    ...torture,
    outDir: "node_modules/.ojm/children",
    entry: { ...childrenIn("test"), ...childrenIn("packages/ui/test") },
  },
  ...OWN.map((folder) => ({
    entry: childrenIn(folder),
    outDir: `${folder.replace(/\/src.*/, "")}/node_modules/.ojm/children`,
    format: "esm",
    target: "node20",
    skipNodeModulesBundle: true,
  })),
];
