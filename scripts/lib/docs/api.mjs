import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Application, ReflectionKind } from "typedoc";
import { published } from "../pack.mjs";
import { root, stop } from "../run.mjs";
import { hashOf, isDone, markDone } from "../stamp.mjs";

const OUT = join(root, "node_modules/.ojm/api-pages");

/** The source of each public entry of the published packages, and the name by which programs import it. */
function entryPoints() {
  return published().flatMap(({ name, path, manifest }) =>
    Object.entries(manifest.exports ?? {})
      // The internal entries promise nothing.
      .filter(([entry, target]) => target["@ojm/source"] !== undefined && !entry.startsWith("./internal"))
      .map(([entry, target]) => ({ source: join(path, target["@ojm/source"]), name: join(name, entry) })),
  );
}

/**
 * Writes the API reference from the docstrings into a folder, one page for each public entry:
 * `core.backend.md` for `@ojm/core/backend`.
 */
export async function writeApi(folder) {
  await makeApi();
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(OUT).filter((name) => name.endsWith(".md"))) {
    const text = readFileSync(join(OUT, file), "utf8").replaceAll(/(?<=\]\()@ojm\.(?=[\w.-]+\.md)/g, "");
    const front = "---\neditLink: false\n---\n";
    const index = "\nThe exports of each package, with their docstrings: made from the sources.\n";
    writeFileSync(
      join(folder, file.replace("@ojm.", "")),
      front + (file === "README.md" ? text.replace("\n\n", `\n${index}\n`) : text),
    );
  }
}

/** Runs TypeDoc, unless its pages are there already for these sources. */
async function makeApi() {
  const inputs = ["scripts/lib/docs/api.mjs", "pnpm-lock.yaml", "tsconfig.base.json"].map((file) => join(root, file));
  const hash = hashOf([...inputs, ...published().map(({ path }) => join(path, "src"))]);
  if (existsSync(OUT) && isDone("docs-api", hash)) return;
  markDone("docs-api");
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const entries = entryPoints();
  const files = entries.map(({ source }) => source);
  // Only the sources that these entries reach: with the tests it takes three times as long.
  const tsconfig = join(OUT, "tsconfig.json");
  writeFileSync(
    tsconfig,
    JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions: { types: ["node"] }, files }),
  );
  const app = await Application.bootstrapWithPlugins({
    entryPoints: files,
    tsconfig,
    plugin: ["typedoc-plugin-markdown"],
    out: OUT,
    name: "API",
    readme: "none",
    // `npm run check` checks the types.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    cleanOutputDir: false,
    sort: ["source-order"],
    logLevel: "Error",
    outputFileStrategy: "modules",
    flattenOutputFiles: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    // It does not number equal headings as the site does if they differ in case: CSV and csv().
    useHTMLAnchors: true,
    anchorPrefix: "api-",
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeAliasPropertiesFormat: "table",
    classPropertiesFormat: "table",
    propertyMembersFormat: "table",
    sanitizeComments: true,
    pageTitleTemplates: { index: () => "API", module: ({ name }) => name },
  });
  const project = await app.convert();
  if (project === undefined) stop("The API reference could not be made.", "See the messages above.");
  // TypeDoc names a module by the path of its source.
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    const { fileName } = project.getSymbolIdFromReflection(module);
    module.name = entries.find(({ source }) => source === fileName).name;
  }
  await app.generateOutputs(project);
  markDone("docs-api", hash);
}
