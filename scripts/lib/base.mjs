import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { nodeHeaders, PNPM } from "./install.mjs";
import { buildTorture, built } from "./programs.mjs";
import { root, run } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

const CONFIG = join(root, "test/torture/base.json");

/**
 * The base version: the one that shares a store with the current one in mixed cells of the torture harness.
 * It is a commit until there is a release, and then the commit of the last release.
 */
const { commit: BASE } = JSON.parse(readFileSync(CONFIG, "utf8"));

/** The packages that the workers of the harness use. Each is built after its dependencies. */
const NEEDED = ["core", "schedule", "simple", "level", "sqlite", "redis", "etcd"];

const home = join(root, `node_modules/.ojm/base-${BASE.slice(0, 12)}`);
/** Where the packed packages are installed, as a user does it. */
const installed = join(home, "installed");
/** The programs of the harness. Beside the installed packages, they find these and no others. */
const programs = join(installed, "harness");

/** Why the base version cannot be built here; `undefined` if it can. */
export function whyNoBase() {
  const { status } = spawnSync("git", ["cat-file", "-e", `${BASE}^{commit}`], { cwd: root, stdio: "ignore" });
  if (status === 0) return undefined;
  return `the base version, commit ${BASE.slice(0, 8)}, is not in this clone: git fetch --unshallow`;
}

/**
 * Builds, packs and installs the base version unless that is done, and puts the programs of the harness
 * beside it. Resolves to the folder of these programs. Throws if a step fails, or if {@link whyNoBase} has a
 * reason.
 */
export async function buildBase() {
  const hash = hashOf([join(root, "scripts/lib/base.mjs")]);
  const stamp = `base-${BASE.slice(0, 12)}-done`;
  if (!existsSync(installed) || !isDone(stamp, hash)) {
    console.error(`building the base version, commit ${BASE.slice(0, 8)} …`);
    markDone(stamp);
    rmSync(home, { recursive: true, force: true });
    const source = join(home, "source");
    checkOut(source);
    await installPacked(await packAll(source), source);
    rmSync(source, { recursive: true });
    markDone(stamp, hash);
  }
  if (!(await buildTorture())) throw new Error("the torture harness could not be built");
  rmSync(programs, { recursive: true, force: true });
  cpSync(built, programs, { recursive: true });
  checkImports();
  return programs;
}

/** From the objects of this repository: no network is needed. */
function checkOut(source) {
  mkdirSync(source, { recursive: true });
  const archive = join(home, "source.tar");
  execFileSync("git", ["archive", "--format=tar", `--output=${archive}`, BASE], { cwd: root });
  execFileSync("tar", ["-xf", archive, "-C", source]);
  rmSync(archive);
}

/** The packages of pnpm's store are used again: mostly nothing is downloaded. */
async function pnpm(what, cwd, ...args) {
  const env = { ...nodeHeaders(), CI: "true" };
  const code = await run("npx", ["--yes", PNPM, ...args], { cwd, env, quiet: true });
  if (code !== 0) throw new Error(`the base version could not be ${what}`);
}

/** Builds and packs the packages. Resolves to their tarballs by name. */
async function packAll(source) {
  const filters = NEEDED.map((name) => `--filter=@ojm/${name}`);
  const packed = join(home, "packed");
  mkdirSync(packed);
  await pnpm("installed", source, "install", "--frozen-lockfile", "--prefer-offline");
  await pnpm("built", source, "--recursive", ...filters, "run", "build");
  await pnpm("packed", source, "--recursive", ...filters, "pack", "--pack-destination", packed);
  // Not in the workspace, as in pack.mjs.
  const driver = join(source, "packages/sqlite-node20");
  if ((await run("npm", ["pack", "--pack-destination", packed], { cwd: driver, quiet: true })) !== 0)
    throw new Error("the SQLite driver of the base version could not be packed");
  const nameOf = (file) => file.replace(/^ojm-(.*)-\d+\.\d+\.\d+.*\.tgz$/, "@ojm/$1");
  return new Map(readdirSync(packed).map((file) => [nameOf(file), `file:${join(packed, file)}`]));
}

/** Installs the tarballs into an empty folder. The overrides name them, since no registry has them. */
async function installPacked(tarballs, source) {
  mkdirSync(installed);
  const { "@ojm/sqlite-node20": _, ...dependencies } = Object.fromEntries(tarballs);
  const manifest = { private: true, type: "module", dependencies };
  writeFileSync(join(installed, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const overrides = [...tarballs].map(([name, spec]) => `  "${name}": "${spec}"`).join("\n");
  const [allowed] = /^allowBuilds:\n(?: .*\n)*/m.exec(readFileSync(join(source, "pnpm-workspace.yaml"), "utf8")) ?? [
    "",
  ];
  writeFileSync(join(installed, "pnpm-workspace.yaml"), `overrides:\n${overrides}\n${allowed}`);
  await pnpm("installed from its packed packages", installed, "install", "--prefer-offline");
}

/** The programs of the harness that run against the base version. */
const PROGRAMS = ["worker.js", "stock.js", "contents.js"];

/**
 * Checks that each package that the programs import is that of the base version. Node would look for what is
 * missing there in the folders above, and find the current version.
 */
function checkImports() {
  const { resolve } = createRequire(join(programs, "-"));
  const names = new Set(NEEDED.map((name) => `@ojm/${name}`));
  const files = new Set(PROGRAMS);
  for (const file of files) {
    const text = readFileSync(join(programs, file), "utf8");
    for (const [, name] of text.matchAll(/\b(?:from|import)\s*\(?\s*"((?:@ojm|\.)\/[^"]+)"/g))
      if (name.startsWith("./")) files.add(name.slice(2));
      else names.add(name);
  }
  // The base version has no queues. Only the mode `queue` loads them, and it has no mixed cells.
  names.delete("@ojm/queue");
  for (const name of names) {
    const path = resolve(name);
    if (!path.startsWith(installed)) throw new Error(`the programs of the base version would import ${path}`);
  }
}
