import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packages } from "./build.mjs";
import { PNPM } from "./install.mjs";
import { root, run, stop } from "./run.mjs";

/** The packages that are published, with the wrapper of the driver for Node 20, which is no package of the workspace. */
export function published() {
  return packages().filter(({ manifest }) => !manifest.private);
}

/** Packs what is published, as it would be. Returns the path of each package's tarball by its name. */
export async function pack() {
  const folder = join(root, "node_modules/.ojm/packed");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tarballs = new Map();
  for (const { name, path, manifest } of published()) {
    // pnpm, not npm: it replaces "workspace:^" by the version.
    const args = ["--yes", PNPM, "pack", "--pack-destination", folder];
    if ((await run("npx", args, { cwd: path, quiet: true })) !== 0) stop(`${name} could not be packed.`, "See above.");
    tarballs.set(name, join(folder, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`));
  }
  return tarballs;
}
