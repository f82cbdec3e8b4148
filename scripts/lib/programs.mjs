import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

// What is built here is below node_modules, so that it finds the packages.

/** The folder of the built torture harness. */
export const built = join(root, "node_modules/.ojm/torture");

/** Builds the torture harness unless it is up to date. Resolves to whether it could be built. */
export function buildTorture() {
  return buildOnce("build-torture", "test/torture", built);
}

/**
 * Builds the child processes of the tests unless they are up to date: a built one starts in a fifth of the
 * processor time. Resolves to whether they could be built.
 */
export function buildChildren() {
  return buildOnce("build-children", "test", join(root, "node_modules/.ojm/children"), "test/support");
}

/** Builds what `sources` holds by the tsup.config.mjs of a folder. */
async function buildOnce(stamp, sources, folder, config = sources) {
  const helpers = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src/testing"));
  helpers.push(join(root, "packages/conformance/src/proxy"), join(root, "packages/testing/src"));
  const hash = hashOf([join(root, sources), join(root, "pnpm-lock.yaml"), ...helpers]);
  if (existsSync(folder) && isDone(stamp, hash)) return true;
  markDone(stamp);
  const args = ["--config", `${config}/tsup.config.mjs`, "--out-dir", folder];
  if ((await tool("tsup", args, { quiet: true })) !== 0) return false;
  markDone(stamp, hash);
  return true;
}
