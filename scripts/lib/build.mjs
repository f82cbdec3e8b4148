import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, stop, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

/** The packages of the repository that are built, each after those that it depends on. */
export function packages() {
  const all = new Map();
  for (const folder of readdirSync(join(root, "packages"))) {
    const path = join(root, "packages", folder);
    if (!existsSync(join(path, "package.json"))) continue;
    const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    // It is no package of the workspace, see pnpm-workspace.yaml.
    if (manifest.name === "@ojm/sqlite-node20") continue;
    all.set(manifest.name, { name: manifest.name, path, manifest });
  }
  const sorted = new Map();
  const visit = (name) => {
    const found = all.get(name);
    if (found === undefined || sorted.has(name)) return;
    for (const dependency of Object.keys(found.manifest.dependencies ?? {})) visit(dependency);
    sorted.set(name, found);
  };
  for (const name of [...all.keys()].sort()) visit(name);
  return [...sorted.values()];
}

/** Builds what changed. */
export async function build() {
  const hashes = new Map();
  const base = ["tsup.base.mjs", "tsconfig.base.json", "pnpm-lock.yaml"].map((name) => join(root, name));
  for (const { name, path, manifest } of packages()) {
    if (manifest.scripts?.build === undefined) continue;
    const below = Object.keys(manifest.dependencies ?? {}).map((dependency) => hashes.get(dependency) ?? "");
    const hash = hashOf([...base, path], ...below);
    hashes.set(name, hash);
    const stamp = `build-${name.replace("/", "-")}`;
    if (existsSync(join(path, "dist")) && isDone(stamp, hash)) continue;
    console.error(`building ${name} …`);
    markDone(stamp);
    const [, ...args] = manifest.scripts.build.split(" ");
    if ((await tool("tsup", args, { cwd: path, quiet: true })) !== 0) {
      stop(`${name} could not be built.`, `See the messages above; to build it alone: cd packages/… && npm run build`);
    }
    markDone(stamp, hash);
  }
}
