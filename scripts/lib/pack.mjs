import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packages } from "./build.mjs";
import { PNPM } from "./install.mjs";
import { root, run, stop } from "./run.mjs";

/** The packages of the workspace that are published. */
export function published() {
  return packages().filter(({ manifest }) => !manifest.private);
}

/**
 * Packs the published packages, as they would be published. Resolves to the path of each package's tarball by
 * its name.
 */
export async function pack() {
  const folder = join(root, "node_modules/.ojm/packed");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tarballs = new Map();
  for (const { name, manifest } of published()) {
    tarballs.set(name, join(folder, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`));
  }
  // pnpm, not npm: it replaces the workspace protocol by the version.
  const filters = [...tarballs.keys()].map((name) => `--filter=${name}`);
  const args = ["--yes", PNPM, "--recursive", ...filters, "pack", "--pack-destination", folder];
  if ((await run("npx", args, { quiet: true })) !== 0) stop("The packages could not be packed.", "See above.");
  tarballs.set(...(await packDriver(folder)));
  return tarballs;
}

/**
 * Packs the driver for Node 20 by npm: it is not in the workspace, and `pnpm pack` would not find its place
 * there.
 */
async function packDriver(folder) {
  const path = join(root, "packages/sqlite-node20");
  const { name, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const code = await run("npm", ["pack", "--pack-destination", folder], { cwd: path, quiet: true });
  if (code !== 0) stop(`${name} could not be packed.`, "See above.");
  return [name, join(folder, `ojm-sqlite-node20-${version}.tgz`)];
}
