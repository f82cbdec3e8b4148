import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, stop, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

/** Where the harness is, built. Below node_modules, from where it finds the packages. */
export const built = join(root, "node_modules/.ojm/torture");

/** Builds the torture harness, unless it is. */
export async function buildTorture() {
  const helpers = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src/testing"));
  const hash = hashOf([join(root, "test/torture"), join(root, "pnpm-lock.yaml"), ...helpers]);
  if (existsSync(join(built, "main.js")) && isDone("build-torture", hash)) return;
  markDone("build-torture");
  const args = ["--config", "test/torture/tsup.config.mjs", "--out-dir", built];
  if ((await tool("tsup", args, { quiet: true })) !== 0) {
    stop("The torture harness could not be built.", "See the messages above.");
  }
  markDone("build-torture", hash);
}
