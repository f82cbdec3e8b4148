import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, stop, tool } from "./run.mjs";
import { hashOf, isDone, markDone } from "./stamp.mjs";

/** The packages of the repository that are built, each after its dependencies. */
export function packages() {
  const all = new Map();
  for (const folder of readdirSync(join(root, "packages"))) {
    const path = join(root, "packages", folder);
    if (!existsSync(join(path, "package.json"))) continue;
    const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    // It is not in the workspace, see pnpm-workspace.yaml.
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

/** The names of packages and of all their dependencies. */
function withDependencies(names) {
  const all = new Map(packages().map((each) => [each.name, each.manifest]));
  const found = new Set();
  const visit = (each) => {
    if (!all.has(each) || found.has(each)) return;
    found.add(each);
    for (const dependency of Object.keys(all.get(each).dependencies ?? {})) visit(dependency);
  };
  for (const name of names) visit(name);
  return found;
}

/**
 * Builds the changed packages: all packages, or with `only` these packages and their dependencies. Without
 * `types`, leaves out the declarations, which are not needed to run a program. They can be added while
 * programs run.
 */
export async function build({ only, types = true } = {}) {
  const wanted = only === undefined ? undefined : withDependencies([only].flat());
  const hashes = new Map();
  const done = new Map();
  const turns = Array.from({ length: availableParallelism() }, () => Promise.resolve());
  const base = ["tsup.base.mjs", "tsup.types.mjs", "tsconfig.base.json", "pnpm-lock.yaml"].map((name) =>
    join(root, name),
  );
  for (const each of packages()) {
    const { name, path, manifest } = each;
    if (manifest.scripts?.build === undefined || wanted?.has(name) === false) continue;
    const below = Object.keys(manifest.dependencies ?? {});
    const hash = hashOf([...base, path], ...below.map((dependency) => hashes.get(dependency) ?? ""));
    hashes.set(name, hash);
    const stamp = `build-${name.replace("/", "-")}`;
    const typesStamp = `${stamp}-types`;
    const isBuilt = existsSync(join(path, "dist")) && isDone(stamp, hash);
    const needsTypes = types && typedEntries(manifest).length > 0 && !(isBuilt && isDone(typesStamp, hash));
    if (isBuilt && !needsTypes) continue;
    // As many at once as there are processors. A dependency has an earlier turn, so no package waits for
    // ever.
    const turn = Promise.all([turns.shift(), ...below.map((dependency) => done.get(dependency))]);
    const built = turn.then(async () => {
      console.error(`building ${isBuilt ? "the declarations of " : ""}${name} …`);
      markDone(typesStamp);
      if (!isBuilt) {
        markDone(stamp);
        await buildPrograms(each);
        markDone(stamp, hash);
      }
      if (needsTypes) {
        await buildTypes(each);
        markDone(typesStamp, hash);
      }
    });
    turns.push(built);
    done.set(name, built);
  }
  await Promise.all(done.values());
}

async function buildPrograms({ name, path, manifest }) {
  const [, ...args] = manifest.scripts.build.split(" ");
  if ((await tool("tsup", args, { cwd: path, quiet: true })) !== 0) {
    stop(`${name} could not be built.`, `See the messages above; to build it alone: cd packages/… && npm run build`);
  }
  await buildPages(path, name);
}

/** The sources of the entries that have declarations. */
function typedEntries({ exports = {} }) {
  const types = Object.values(exports).flatMap((target) => target.types ?? []);
  return types.map((file) => file.replace(/^\.\/dist\/(.*)\.d\.ts$/, "src/$1.ts"));
}

async function buildTypes({ name, path, manifest }) {
  const args = [...typedEntries(manifest), "--config", join(root, "tsup.types.mjs")];
  if ((await tool("tsup", args, { cwd: path, quiet: true })) !== 0) {
    stop(`The declarations of ${name} could not be built.`, "See the messages above, and those of: npx tsc");
  }
  for (const { types, default: program } of Object.values(manifest.exports)) {
    if (types !== undefined) await markTypes(join(path, types), join(path, program));
  }
}

/**
 * Marks what a program does not export as a type: the bundler of the declarations forgets that a class is
 * exported by `export type`. A program that makes an instance of it would compile, and not start.
 */
async function markTypes(types, program) {
  const values = new Set(Object.keys(await import(pathToFileURL(program).href)));
  const marked = readFileSync(types, "utf8").replace(/(?<=^export \{ ).*(?= \}( from .*)?;$)/gm, (names) => {
    const mark = (each) => (each.startsWith("type ") || values.has(each.split(" as ").at(-1)) ? each : `type ${each}`);
    return names.split(", ").map(mark).join(", ");
  });
  writeFileSync(types, marked);
}

/** Builds the pages of a package that has some: `web` becomes `dist/web`. */
async function buildPages(path, name) {
  if (!existsSync(join(path, "web/index.html"))) return;
  if ((await tool("vite", ["build", "web", "--logLevel", "warn"], { cwd: path, quiet: true })) === 0) return;
  stop(`The pages of ${name} could not be built.`, "See the messages above; to build them alone: npx vite build web");
}
