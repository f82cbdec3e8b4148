import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

// What is built here is below a node_modules, so that it finds the packages.

/** The folder of the built torture harness. */
export const built = join(root, "node_modules/.ojm/torture");

/** Builds the torture harness unless it is up to date. Resolves to whether it could be built. */
export function buildTorture() {
  return buildOnce("build-torture", "test/torture", built, ["--out-dir", built]);
}

/**
 * Builds the child processes of the tests unless they are up to date: a built one starts in a fifth of the
 * processor time. Resolves to whether they could be built.
 */
export function buildChildren() {
  const folder = join(root, "node_modules/.ojm/children");
  return buildOnce("build-children", "test/support", folder, [], ["test", "packages"]);
}

/** Builds `folder` by the tsup.config.mjs of another one, unless none of `sources` has changed. */
async function buildOnce(stamp, config, folder, options, sources = [config]) {
  const helpers = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src/testing"));
  helpers.push(join(root, "packages/conformance/src/proxy"), join(root, "packages/testing/src"));
  const hash = hashOf([...sources.map((path) => join(root, path)), join(root, "pnpm-lock.yaml"), ...helpers]);
  if (existsSync(folder) && isDone(stamp, hash)) return true;
  markDone(stamp);
  const args = ["--config", `${config}/tsup.config.mjs`, ...options];
  if ((await tool("tsup", args, { quiet: true })) !== 0) return false;
  markDone(stamp, hash);
  return true;
}
