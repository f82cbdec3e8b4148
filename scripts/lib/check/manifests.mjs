import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { driver, releasePackages } from "../pack.mjs";
import { root } from "../run.mjs";

/**
 * Checks that each published package has the fields that a registry shows, and publishes no tests. Returns an
 * exit code.
 */
export function checkManifests() {
  const { repository, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const site = repository.url.replace(/^git\+|\.git$/g, "");
  let wrong = 0;
  const node20 = driver();
  for (const { path, manifest } of releasePackages()) {
    const folder = path.slice(root.length).replace(/^[\\/]+/, "");
    const expected = {
      repository: { ...repository, directory: folder },
      homepage: `${site}/tree/main/${folder}#readme`,
      bugs: `${site}/issues`,
      author: "The ojm authors",
      license: "Apache-2.0",
      ...(path !== node20.path && { engines }),
    };
    const problems = Object.entries(expected)
      .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
      .map(([field, value]) => `${field} must be ${JSON.stringify(value)}`);
    if (!(manifest.keywords?.length > 0)) problems.push("keywords are missing");
    if (!existsSync(join(path, "LICENSE"))) problems.push("LICENSE is missing");
    const sources = manifest.files.includes("src");
    if (sources && !["!src/**/*.test.ts", "!src/**/testing/**"].every((each) => manifest.files.includes(each))) {
      problems.push("files must leave out the tests and src/testing");
    }
    const given = manifest.optionalDependencies?.[node20.name];
    if (given !== undefined && given !== node20.manifest.version) {
      problems.push(`${node20.name} must have its version, ${node20.manifest.version}`);
    }
    if (usesInternals(path)) problems.push(...loose(manifest));
    for (const problem of problems) console.error(`${folder}/package.json: ${problem}`);
    wrong += problems.length;
  }
  return wrong === 0 ? 0 : 1;
}

/** An import of an entry that may change with any version. */
const INTERNAL = /"@ojm\/\w+\/internal(?:\/\w+)?"/;

function usesInternals(path) {
  const folder = join(path, "src");
  if (!existsSync(folder)) return false;
  const sources = readdirSync(folder, { recursive: true }).filter((file) => /(?<!\.test)\.tsx?$/.test(file));
  return sources.some((file) => INTERNAL.test(readFileSync(join(folder, file), "utf8")));
}

/**
 * The dependencies on packages of ojm that a release would not write as an exact version. With a range, an
 * installation may get a core whose internal entry lacks what the package imports.
 */
function loose({ name, dependencies = {} }) {
  return Object.entries(dependencies)
    .filter(([each, range]) => each.startsWith("@ojm/") && each !== name && range.startsWith("workspace:"))
    .filter(([, range]) => range !== "workspace:*")
    .map(([each]) => `${each} must be "workspace:*", because the sources import an internal entry`);
}
