import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./run.mjs";
import { testFiles } from "./test-files.mjs";

/**
 * Uses that no import shows: a file reads others, or starts them as programs under a computed name. `npm run
 * check` fails if a source is reached by no test, see {@link unreached}.
 */
const USES = [
  ["test/support/processes.ts", /^test\/(support\/children|original)\/.*\.child\.ts$/],
  ["packages/sqlite/src/testing/processes.ts", /^packages\/sqlite\/src\/testing\/programs\//],
  ["test/torture/run/entry.ts", /^test\/torture\//],
  ["packages/conformance/src/run/runners.test.ts", /^packages\/conformance\/src\/(index|cli|example\/)/],
  ["packages/conformance/src/remote/remote.ts", /^packages\/conformance\/src\/remote\/worker\.ts$/],
  ["test/nestjs.test.ts", /^packages\/nestjs\/src\/testing\//],
  // Of job files: the thread of a script, and the programs in other languages.
  ["packages/ojob/src/run.ts", /^packages\/ojob\/src\/(script-worker\.cjs|script\/)/],
  ["packages/openaf/src/testing/run.ts", /^packages\/(openaf|ojob)\/src\//],
  // The pages are built, and the browser loads them.
  ["packages/ui/test/support/browser.ts", /^packages\/ui\/web\//],
  // Types, not tests, use the rest of the pages.
  [/^packages\/ui\/src\/static\/.*\.test\.ts$/, /^packages\/ui\/web\//],
  // Pages and examples are read and run.
  ["test/readme.test.ts", /\.md$|^examples\//],
  ["test/command-lines.test.ts", /\.md$|^examples\/|\.ya?ml$/],
  ["test/reference.test.ts", /\.md$/],
  ["test/proof.test.ts", /^docs\/(proof\/|understand\/|architecture\.md$)|^test\/torture\/validate\/verdict\.ts$/],
  ["test/job-file-reference.test.ts", /^docs\/reference\/|^packages\/ojob\/job-file\.schema\.json$/],
  ["test/guide/sessions.test.ts", /^docs\/reference\/(job-file\/|openaf-functions\.md$)/],
  ["test/core-reference.test.ts", /^docs\/(reference\/(typescript|events-)|how-to\/)|^packages\/core\/src\//],
  ["test/support/entries-page.ts", /^docs\/reference\/entries\.md$/],
  ["test/golden/golden.test.ts", /^test\/golden\//],
  ["test/entries.fuzz.test.ts", /^test\/golden\/.*\/entries\.txt$/],
  ["test/on-call.test.ts", /^docs\/on-call\//],
  ["test/examples.test.ts", /^examples\//],
  ["test/tutorials.test.ts", /^docs\/(tutorials\/|start\/ways-in\.md$)/],
  ["test/docs.test.ts", /^docs\/|^scripts\/docs\.mjs$|^[A-Z]+\.md$/],
  ["test/service.test.ts", /^(examples\/service\/|docs\/how-to\/run-as-a-service\.md$)/],
  ["packages/ojob/src/testing/corpus.ts", /^examples\//],
  ["packages/cli/src/reference/reference.test.ts", /^docs\/reference\/commands\.md$|^packages\/cli\/man\//],
  ["test/release.test.ts", /^scripts\/(release|version)\.mjs$|^\.changeset\/|^\.github\/workflows\/release\.yml$/],
  ["test/workflows.test.ts", /^\.github\/workflows\//],
  ["packages/testing/src/fuzz.ts", /^test\/fuzz\/corpus\//],
  ["test/mutants/mutants.test.ts", /^test\/mutants\/kept\//],
  [/^packages\/cli\/src\/schemas\/.*\.test\.ts$/, /^packages\/cli\/schemas\//],
];

/** It searches for the source that each kept fault changes, and does not test what that source does. */
const READS_SOURCES = "test/mutants/mutants.test.ts";

/** A change of one of these can break every test. */
const EVERYTHING =
  /^(pnpm-lock\.yaml|pnpm-workspace\.yaml|package\.json|tsconfig.*\.json|tsup\.base\.mjs|vitest\.config\.ts|test\/setup.*\.ts|scripts\/(test\.mjs|lib\/.*)|packages\/[^/]+\/(package\.json|tsup\.config\.mjs))$/;

/** Commands of our own, which no test runs. */
const COMMANDS = /^test\/(conformance\/report\.ts|mutants\/)/;

/** The tests that changes since `base` can break, as paths from the root. */
export async function affectedTests(base) {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
  const changed = [...git("diff", "--name-only", base), ...git("ls-files", "-o", "--exclude-standard")];
  if (changed.some((file) => EVERYTHING.test(file))) return testFiles();
  return testsReaching(changed.some((file) => file.startsWith("packages/")) ? [...changed, READS_SOURCES] : changed);
}

/** The tests that use these files, directly or not: those that are fewest steps away come first. */
export function testsReaching(files) {
  users ??= usersOf(uses());
  const reached = new Set(files);
  for (const file of reached) for (const user of users.get(file) ?? []) reached.add(user);
  const tests = new Set(testFiles());
  return [...reached].filter((file) => tests.has(file));
}

/** For each file, the files that use it directly. Read once. */
let users;

/** The sources that no test uses, neither by imports nor by the table above. */
function unreached() {
  const all = uses();
  const reached = new Set(testFiles());
  for (const file of reached) for (const used of all.get(file) ?? []) reached.add(used);
  const isSource = (file) =>
    /^(packages\/(?!bench\/|sqlite-node20\/)[^/]+\/(src|web\/src)|test)\/.*\.(tsx?|cjs)$/.test(file);
  return [...all.keys()].filter(
    (file) =>
      isSource(file) && !/\.d\.ts$/.test(file) && !COMMANDS.test(file) && !EVERYTHING.test(file) && !reached.has(file),
  );
}

/** For each file of the repository, the files that it uses directly. */
function uses() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  const files = listed.split("\n").filter((file) => file !== "" && existsSync(join(root, file)));
  const resolve = resolver();
  const all = new Map();
  for (const file of files) {
    const used = new Set();
    if (/\.([cm]?[jt]s|tsx)$/.test(file)) {
      const text = readFileSync(join(root, file), "utf8");
      for (const [, name] of text.matchAll(/\b(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g))
        used.add(resolve(file, name));
      for (const [, name] of text.matchAll(/\bnew URL\(\s*["'`]([^"'`$]+)["'`],\s*import\.meta\.url/g)) {
        used.add(resolve(file, name.startsWith(".") ? name : `./${name}`));
      }
    }
    for (const [user, pattern] of USES) {
      if (typeof user === "string" ? user !== file : !user.test(file)) continue;
      for (const each of files) if (pattern.test(each)) used.add(each);
    }
    used.delete(undefined);
    all.set(file, used);
  }
  return all;
}

function usersOf(all) {
  const users = new Map();
  for (const [file, used] of all) for (const each of used) users.set(each, [...(users.get(each) ?? []), file]);
  return users;
}

/** Finds the source of an import, or nothing if it is not in this repository. */
function resolver() {
  const manifests = new Map();
  for (const folder of readdirSync(join(root, "packages"))) {
    const path = join(root, "packages", folder, "package.json");
    if (!existsSync(path)) continue;
    const { name, exports = {} } = JSON.parse(readFileSync(path, "utf8"));
    for (const [entry, target] of Object.entries(exports)) {
      const source = typeof target === "string" ? target : target["@ojm/source"];
      if (source !== undefined) manifests.set(join(name, entry), join("packages", folder, source));
    }
  }
  return (from, name) => {
    if (!name.startsWith(".")) return manifests.get(name);
    const path = relative(root, join(root, dirname(from), name));
    const base = path.replace(/\.js$/, "");
    return [path, `${base}.ts`, `${base}.tsx`, `${path}.ts`].find((each) => isFile(join(root, each)));
  };
}

function isFile(path) {
  return existsSync(path) && statSync(path).isFile();
}

/** Prints each source that {@link affectedTests} would give no test. Returns an exit code. */
export function checkReach() {
  const files = unreached();
  for (const file of files)
    console.error(`${file}: no test uses it. If one does, add a row to scripts/lib/affected.mjs`);
  return files.length === 0 ? 0 : 1;
}
