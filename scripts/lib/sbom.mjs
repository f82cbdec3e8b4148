import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNPM } from "./install.mjs";
import { driver, published, sbomOf } from "./pack.mjs";
import { run, stop } from "./run.mjs";

/**
 * Writes an SBOM in CycloneDX beside each tarball: the versions in the lock file, which the tests ran with.
 * Resolves to the paths of the files.
 */
export async function writeSboms(tarballs) {
  const folder = mkdtempSync(join(tmpdir(), "ojm-sbom-"));
  try {
    const installed = await inventories(join(folder, "installed"), published(), ["--prod"]);
    const withPages = published().filter(({ path }) => bundledIn(path).length > 0);
    const all = await inventories(join(folder, "all"), withPages, ["--exclude-peers"]);
    for (const { name, path } of withPages) addBundled(installed.get(name), all.get(name), bundledIn(path));
    installed.set(driver().name, ofDriver(installed.get("@ojm/sqlite")));
    return [...tarballs].map(([name, tarball]) => write(sbomOf(tarball), installed.get(name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What pnpm finds in the lock file for each of the packages, by the name of the package. */
async function inventories(folder, which, options) {
  const filters = which.map(({ name }) => `--filter=${name}`);
  // 1.6: the newest version that the common readers of SBOMs accept.
  const format = ["--sbom-format", "cyclonedx", "--sbom-spec-version", "1.6"];
  const args = ["--yes", PNPM, ...filters, "sbom", ...format, "--split", "--out", `${folder}/%s.json`, ...options];
  if ((await run("npx", args, { quiet: true })) !== 0) stop("The SBOMs could not be made.", "See above.");
  const found = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
  return new Map(found.map((bom) => [nameOf(bom.metadata.component), bom]));
}

const nameOf = ({ group, name }) => (group ? `${group}/${name}` : name);

/**
 * The development dependencies that the built pages of a package contain: those that their sources name. They
 * are installed with no package, but they are published as a part of it.
 */
function bundledIn(path) {
  const { devDependencies = {} } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const sources = textsBelow(join(path, "web"));
  return Object.keys(devDependencies).filter((name) => new RegExp(`"${name}["/]`).test(sources));
}

function textsBelow(folder) {
  let names;
  try {
    names = readdirSync(folder, { recursive: true });
  } catch {
    return "";
  }
  const sources = names.filter((name) => /(?<!\.test)\.tsx?$/.test(name));
  return sources.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

/** Adds to an SBOM the components with these names, and what they depend on, from one that has them. */
function addBundled(bom, all, names) {
  const direct = all.components.filter((each) => names.includes(nameOf(each)));
  const missing = names.filter((name) => !direct.some((each) => nameOf(each) === name));
  if (missing.length > 0) throw new Error(`the SBOM lacks ${missing.join(", ")}`);
  const refs = reachable(
    all,
    direct.map((each) => each["bom-ref"]),
  );
  const known = new Set(bom.components.map((each) => each["bom-ref"]));
  const added = new Set([...refs].filter((ref) => !known.has(ref)));
  // pnpm marks what is for development alone, which these are not.
  const parts = all.components.filter((each) => added.has(each["bom-ref"]));
  bom.components.push(...parts.map(({ scope, properties, ...part }) => part));
  bom.dependencies.push(...all.dependencies.filter(({ ref }) => added.has(ref)));
  const own = bom.dependencies.find(({ ref }) => ref === bom.metadata.component["bom-ref"]);
  own.dependsOn = [...new Set([...own.dependsOn, ...direct.map((each) => each["bom-ref"])])];
}

/** The SBOM of the driver for Node 20, which is not in the workspace: its part of that of `@ojm/sqlite`. */
function ofDriver(bom) {
  const component = bom.components.find((each) => nameOf(each) === driver().name);
  const refs = reachable(bom, [component["bom-ref"]]);
  return {
    ...bom,
    metadata: { ...bom.metadata, component },
    components: bom.components.filter((each) => each !== component && refs.has(each["bom-ref"])),
    dependencies: bom.dependencies.filter(({ ref }) => refs.has(ref)),
  };
}

function reachable(bom, refs) {
  const uses = new Map(bom.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  const found = new Set(refs);
  for (const ref of found) for (const each of uses.get(ref) ?? []) found.add(each);
  return found;
}

/**
 * Writes the same bytes for the same components: sorted, without the time, and with a serial number that
 * follows from the content. The lock file names the driver by its folder, the SBOM by its version.
 */
function write(file, bom) {
  const by = (key) => (a, b) => (key(a) < key(b) ? -1 : 1);
  const { serialNumber, metadata, components, dependencies, ...rest } = bom;
  const { timestamp, ...described } = metadata;
  const content = {
    ...rest,
    metadata: described,
    components: components.toSorted(by((each) => each["bom-ref"])),
    dependencies: dependencies
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.toSorted() }))
      .toSorted(by(({ ref }) => ref)),
  };
  const { path, manifest } = driver();
  const text = JSON.stringify(content).replaceAll(`file:packages/${path.split(/[\\/]/).at(-1)}`, manifest.version);
  const hex = createHash("sha256").update(text).digest("hex");
  const serial = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const { $schema, bomFormat, specVersion, ...others } = JSON.parse(text);
  const whole = { $schema, bomFormat, specVersion, serialNumber: `urn:uuid:${serial}`, ...others };
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`);
  return file;
}
