import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { packages } from "./build.mjs";
import { PNPM } from "./install.mjs";
import { root, run, stop } from "./run.mjs";

/** The packages of the workspace that are published. */
export function published() {
  return packages().filter(({ manifest }) => !manifest.private);
}

/** The driver for Node 20. It is not in the workspace, see pnpm-workspace.yaml. */
export function driver() {
  const path = join(root, "packages/sqlite-node20");
  const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  return { name: manifest.name, path, manifest };
}

/** Every package that a release publishes, each after its dependencies. */
export function releasePackages() {
  return [driver(), ...published()];
}

/**
 * Packs the published packages, as they would be published. Resolves to the path of each package's tarball by
 * its name, in the order of publishing. Replaces what an earlier call left in the folder, and nothing else.
 */
export async function pack(folder = join(root, "node_modules/.ojm/packed")) {
  mkdirSync(folder, { recursive: true });
  for (const place of [folder, join(folder, NODE20)]) {
    for (const name of filesIn(place)) if (OURS.test(name)) rmSync(join(place, name));
  }
  const tarballs = new Map();
  for (const { name, manifest } of releasePackages()) {
    const place = name === driver().name ? join(folder, NODE20) : folder;
    tarballs.set(name, join(place, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`));
  }
  // pnpm, not npm: it replaces the workspace protocol by the version.
  const filters = published().map(({ name }) => `--filter=${name}`);
  const args = ["--yes", PNPM, "--recursive", ...filters, "pack", "--pack-destination", folder];
  if ((await run("npx", args, { quiet: true })) !== 0) stop("The packages could not be packed.", "See above.");
  await packDriver(join(folder, NODE20));
  return tarballs;
}

/**
 * Beside the tarballs, the folder of the driver for Node 20: on other Nodes its addon would be compiled in
 * vain, so `*.tgz` must not name it there.
 */
const NODE20 = "node20";

const OURS = /^(?:ojm-.*\.(?:tgz|cdx\.json)|SHA256SUMS)$/;

function filesIn(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Packs the driver for Node 20 by npm: it is not in the workspace, and `pnpm pack` would not find its place
 * there.
 */
async function packDriver(folder) {
  mkdirSync(folder, { recursive: true });
  const { name, path } = driver();
  const code = await run("npm", ["pack", "--pack-destination", folder], { cwd: path, quiet: true });
  if (code !== 0) stop(`${name} could not be packed.`, "See above.");
}

/** The arguments of `npm install` for all packages of a folder, on the Node that runs. */
export function installArguments(folder) {
  const isOld = Number(process.versions.node.split(".")[0]) < 22;
  return [`${folder}/*.tgz`, ...(isOld ? [`${folder}/${NODE20}/*.tgz`] : [])].join(" ");
}

/** Writes `SHA256SUMS` as `sha256sum` does: the tarballs in the order of publishing, then the other files. */
export function writeSums(folder, files) {
  const lines = files.map((file) => `${sha256(file)}  ${relative(folder, file)}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

export function sha256(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/**
 * The files that the `SHA256SUMS` of a folder names, in its order. Throws if one of them is missing or has
 * changed, or if the folder has a tarball that is not named.
 */
export function verified(folder) {
  const files = readFileSync(join(folder, "SHA256SUMS"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [, sum, name] = /^([0-9a-f]{64}) {2}([\w./-]+)$/.exec(line) ?? [];
      if (sum === undefined) throw new Error(`SHA256SUMS has a line that is not a hash and a file: ${line}`);
      if (sha256(join(folder, name)) !== sum) throw new Error(`${name} is not the file that was built`);
      return join(folder, name);
    });
  const tarballs = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".tgz"));
  const unnamed = tarballs.filter((name) => !files.includes(join(folder, name)));
  if (unnamed.length > 0) throw new Error(`SHA256SUMS does not name ${unnamed.join(", ")}`);
  return files;
}

/** The file of an SBOM, beside its tarball. */
export const sbomOf = (tarball) => join(dirname(tarball), `${basename(tarball, ".tgz")}.cdx.json`);
