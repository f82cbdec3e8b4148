import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { nodeHeaders, PNPM } from "../lib/install.mjs";
import { run } from "../lib/run.mjs";

const YARN = "@yarnpkg/cli-dist@4.18.1";

/**
 * Installs a real Node of a line, from the npm package `node`. Resolves to its folder, or to `undefined` if
 * that failed.
 */
export async function installNode(line, folder) {
  const home = join(folder, `node-${line}`);
  const bin = join(home, "node_modules/node/bin");
  mkdirSync(home, { recursive: true });
  if (existsSync(join(bin, "node"))) return bin;
  writeFileSync(join(home, "package.json"), '{ "private": true }\n');
  const code = await run("npm", ["install", `node@${line}`, "--no-audit", "--no-fund"], { cwd: home, quiet: true });
  return code === 0 ? bin : undefined;
}

/** The environment of a program under a Node. */
export function environment(bin) {
  return { ...process.env, ...nodeHeaders(), CI: "true", PATH: `${bin}${delimiter}${process.env.PATH}` };
}

/** The version of Nest by the line of Node: the matrix runs each that @ojm/nestjs supports. Others: 12. */
const NEST = { 20: "^10.0.0", 22: "^11.0.0" };

/** The peers of our adapters, and what the programs of the pages import. Yarn installs no peers. */
function peers(line) {
  const nest = NEST[line] ?? "^12.0.0";
  const parts = ["common", "core", "platform-express", "platform-fastify", "terminus"];
  return {
    ...Object.fromEntries(parts.map((part) => [`@nestjs/${part}`, nest])),
    "node-cron": "^4.6.0",
    "reflect-metadata": "^0.2.0",
    rxjs: "^7.8.0",
  };
}

/** The packages by name, as their tarballs: no registry has them before they are published. */
const specs = (tarballs) => Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));

/**
 * Installs every package into an empty folder, as a user does. Resolves to what went wrong, or `undefined`.
 */
export async function installPackages(manager, { folder, env, tarballs, line }) {
  mkdirSync(folder, { recursive: true });
  const { "@ojm/sqlite-node20": driver, ...packages } = specs(tarballs);
  const dependencies = { ...packages, ...peers(line) };
  const manifest = { private: true, type: "module", dependencies };
  if (manager === "npm") {
    // npm finds the driver for @ojm/sqlite because it is listed here too. It is optional, as it is there.
    writeManifest(folder, { ...manifest, optionalDependencies: { "@ojm/sqlite-node20": driver } });
    return failure(
      "npm install",
      await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder, env, quiet: true }),
    );
  }
  const options = { folder, env, line, dependencies, overrides: specs(tarballs) };
  return await (manager === "yarn" ? installByYarn(options) : installByPnpm(options));
}

function writeManifest(folder, manifest) {
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
}

/**
 * Installs `@ojm/cli` alone first, as most users begin. Then installs the rest, and allows the install
 * scripts that the READMEs name.
 */
async function installByPnpm({ folder, env, line, dependencies, overrides }) {
  const pnpm = (...args) =>
    run("npx", ["--yes", PNPM, ...args], { cwd: folder, env, quiet: true, quietErrors: line === "20" });
  writeManifest(folder, { private: true, type: "module" });
  const lines = Object.entries(overrides).map(([name, spec]) => `  "${name}": "${spec}"`);
  writeFileSync(join(folder, "pnpm-workspace.yaml"), `overrides:\n${lines.join("\n")}\n`);
  const code = await pnpm("add", dependencies["@ojm/cli"]);
  // On Node 20 the driver has an install script. pnpm says so, and this one command approves it.
  const approved = line === "20" ? await pnpm("approve-builds", "better-sqlite3") : code;
  if (approved !== 0) return failure("pnpm add @ojm/cli", approved);
  const allowed = ["classic-level", "protobufjs"].map((name) => `--allow-build=${name}`);
  return failure("pnpm add of the rest", await pnpm("add", ...allowed, ...Object.entries(dependencies).map(specOf)));
}

/**
 * Installs all packages by Yarn 4, the line that is developed: Yarn 1 is frozen. It links `node_modules`,
 * because its own loader (Plug'n'Play) is not what the other package managers install either. By default it
 * runs no install script, and the project allows that of the driver for Node 20.
 */
async function installByYarn({ folder, env, line, dependencies, overrides }) {
  const meta = line === "20" ? { dependenciesMeta: { "better-sqlite3": { built: true } } } : {};
  writeManifest(folder, { private: true, type: "module", dependencies, resolutions: overrides, ...meta });
  writeFileSync(join(folder, ".yarnrc.yml"), "nodeLinker: node-modules\nenableTelemetry: false\n");
  // A lock file marks the folder as a project of its own: there may be another one above it.
  writeFileSync(join(folder, "yarn.lock"), "");
  const args = ["--yes", "--package", YARN, "yarn", "install", "--no-immutable"];
  return failure("yarn install", await run("npx", args, { cwd: folder, env, quiet: true }));
}

/** A tarball as its path, another package as `name@range`. */
const specOf = ([name, spec]) => (spec.startsWith("file:") ? spec : `${name}@${spec}`);

function failure(what, code) {
  return code === 0 ? undefined : `${what} ended with ${code}`;
}

/** The path of a program that a package has installed. */
export const program = (folder, name) => join(folder, "node_modules/.bin", name);
