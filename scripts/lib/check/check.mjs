import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkReach } from "../affected.mjs";
import { build } from "../build.mjs";
import { published } from "../pack.mjs";
import { buildTorture } from "../programs.mjs";
import { packRelease } from "../release.mjs";
import { root, tool } from "../run.mjs";
import { checkManifests } from "./manifests.mjs";
import { checkNames } from "./names.mjs";

/** Where a check packs the packages. */
const packed = join(root, "node_modules/.ojm/packed");

/**
 * Packs the packages twice, from a build of their own each, and compares the bytes. It takes minutes.
 * Resolves to an exit code.
 */
export async function checkSameBytes() {
  await build();
  await packRelease(packed);
  const { packsTheSame } = await import("./same-bytes.mjs");
  return packsTheSame(packed);
}

/**
 * Checks types, lint and format, unused code, and the packaging of the packages. Resolves to the names of the
 * checks that failed.
 */
export async function check() {
  await build();
  // Imported here: they need packages that a fresh clone has only once the dependencies are installed.
  const { checkApi } = await import("./api.mjs");
  const { checkConsumers } = await import("./consumers.mjs");
  const { checkImports } = await import("./imports.mjs");
  const { checkProse } = await import("./prose.mjs");
  const { checkWorkflows } = await import("./workflows.mjs");
  const tarballs = await packRelease(packed);
  const steps = [
    ["types", () => tool("tsc", ["-p", "tsconfig.json"])],
    ["types of the pages", () => tool("tsc", ["-p", "packages/ui/web/tsconfig.json"])],
    ["types of the rivals of the benchmark", () => checkRivals()],
    ["lint and format", () => tool("biome", ["check", "--error-on-warnings"])],
    ["imports", () => checkImports()],
    ["comments and texts", () => checkProse()],
    ["each source is used by a test", () => checkReach()],
    ["unused code", () => tool("knip", [])],
    ["the workflows of CI", () => checkWorkflows()],
    ["the name @ojm/cli, not ojm, in what people install", () => checkNames()],
    ["what each package says of itself", () => checkManifests()],
    ["the public API, as the reports in packages/*/etc have it", () => checkApi()],
    ["the packed packages in a strict program", () => checkConsumers(tarballs)],
    ["build of the torture harness", async () => ((await buildTorture()) ? 0 : 1)],
  ];
  for (const { name, manifest } of published()) {
    const tarball = tarballs.get(name);
    steps.push([`packaging of ${name}`, () => tool("publint", ["--strict", tarball], { quiet: true })]);
    if (manifest.exports?.["."] === undefined) continue;
    const args = [tarball, "--profile", "esm-only", "--exclude-entrypoints", "./package.json"];
    steps.push([`types of ${name} as installed`, () => tool("attw", args, { quiet: true })]);
  }
  const failed = [];
  for (const [what, step] of steps) {
    const code = await step();
    console.error(`${code === 0 ? "ok    " : "FAILED"}  ${what}`);
    if (code !== 0) failed.push(what);
  }
  return failed;
}

/** Checks the types of the benchmarks of rivals, if those are installed: few developers need them. */
async function checkRivals() {
  const folder = join(root, "packages/bench/rivals");
  if (existsSync(join(folder, "node_modules"))) return tool("tsc", ["-p", folder]);
  console.error("skipped: the rivals are not installed. To check: npm ci --prefix packages/bench/rivals");
  return 0;
}
