import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run, stop } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

// This is not "packageManager" in package.json: pnpm would then manage its own version in the lock file.
export const PNPM = "pnpm@12.21.0";

/** Installs the dependencies unless they are installed. Needs only npm, which provides pnpm. */
export async function install() {
  const manifests = ["packages", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name, "package.json")),
  );
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"].map((name) => join(root, name));
  const hash = hashOf([...files, ...manifests]);
  if (existsSync(join(root, "node_modules/.modules.yaml")) && isDone("install", hash)) return;
  console.error("installing dependencies …");
  markDone("install");
  const code = await run("npx", ["--yes", PNPM, "install", "--frozen-lockfile"], {
    quiet: true,
    env: { ...nodeHeaders(), CI: "true" },
  });
  if (code !== 0) {
    stop(
      "The dependencies could not be installed.",
      "See the messages above. Is the package registry reachable (npm ping)? The SQLite addon is compiled where no prebuilt one can be had: that needs python3, make and a C++ compiler.",
    );
  }
  markDone("install", hash);
}

/**
 * The environment in which node-gyp finds Node's headers: otherwise it downloads them. pnpm reads their path
 * from the environment only.
 */
export function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const given = process.env.npm_config_nodedir !== undefined;
  return !given && existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}
