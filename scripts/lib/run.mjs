import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * Runs a program and resolves to its exit code. With `quiet`, its output is kept and shown only if it fails.
 */
export function run(command, args, { cwd = root, env = {}, quiet = false, quietErrors = false } = {}) {
  return new Promise((resolve) => {
    const stdio = quiet ? ["ignore", "pipe", "pipe"] : "inherit";
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio });
    const output = [];
    child.stdout?.on("data", (data) => output.push(data));
    child.stderr?.on("data", (data) => output.push(data));
    child.on("error", (error) => {
      output.push(`${error.message}\n`);
      resolve(127);
    });
    child.on("close", (code) => {
      if (code !== 0 && !quietErrors) process.stderr.write(Buffer.concat(output.map((part) => Buffer.from(part))));
      resolve(code ?? 1);
    });
  });
}

/** Runs a tool of this repository's node_modules. */
export function tool(name, args, options) {
  return run(process.execPath, [toolPath(name), ...args], options);
}

function toolPath(name) {
  const paths = {
    vitest: "vitest/vitest.mjs",
    tsc: "typescript/bin/tsc",
    biome: "@biomejs/biome/bin/biome",
    knip: "knip/bin/knip.js",
    publint: "publint/src/cli.js",
    attw: "@arethetypeswrong/cli/dist/index.js",
    tsup: "tsup/dist/cli-default.js",
    vite: "vite/bin/vite.js",
    changeset: "@changesets/cli/bin.js",
  };
  return join(root, "node_modules", paths[name]);
}

/** Ends the script with a message that says what failed and what to do. */
export function stop(what, advice) {
  console.error(`\n${what}\n${advice}`);
  process.exit(1);
}

/** The first of `names` that is on the PATH. */
export function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(":");
  return names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
}
