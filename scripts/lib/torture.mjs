import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

/** The folder of the built harness. It is below node_modules, so that the harness finds the packages. */
export const built = join(root, "node_modules/.ojm/torture");

/** Builds the torture harness unless it is up to date. Resolves to whether it could be built. */
export async function buildTorture() {
  const helpers = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src/testing"));
  helpers.push(join(root, "packages/conformance/src/proxy"));
  const hash = hashOf([join(root, "test/torture"), join(root, "pnpm-lock.yaml"), ...helpers]);
  if (existsSync(join(built, "main.js")) && isDone("build-torture", hash)) return true;
  markDone("build-torture");
  const args = ["--config", "test/torture/tsup.config.mjs", "--out-dir", built];
  if ((await tool("tsup", args, { quiet: true })) !== 0) return false;
  markDone("build-torture", hash);
  return true;
}
