import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import { published } from "../pack.mjs";
import { root, run } from "../run.mjs";
import { pages, snippets } from "../snippets.mjs";

const consumer = join(root, "node_modules/.ojm/consumer");

const STRICT = {
  strict: true,
  experimentalDecorators: true, // as in every Nest application
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  allowJs: true,
  checkJs: true,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
};

/** How users resolve modules. */
const RESOLUTIONS = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

/**
 * Compiles the packed packages, which `tarballs` has by name, and every program of a README as a strict user
 * would, who checks libraries too. Then checks that the values which the declarations promise exist at run
 * time. Resolves to an exit code.
 */
export async function checkConsumers(tarballs) {
  await unpack(tarballs);
  const files = [importAll(), ...pages().flatMap(writePrograms)];
  let failed = 0;
  for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
    const program = ts.createProgram(files, { ...STRICT, ...resolution });
    const problems = ts.getPreEmitDiagnostics(program);
    if (problems.length > 0) console.error(`as ${name}:\n${ts.formatDiagnostics(problems, host)}`);
    failed += problems.length + (name === "nodenext" ? await missingValues(program) : 0);
  }
  return failed === 0 ? await runPacked() : 1;
}

/** Needs the lazily loaded libraries: acorn in the program, handlebars and more in script threads. */
const JOB_FILE = `ojob: { loads: ["@ojm/openaf"] }
jobs:
  - name: A
    check: { in: { list: 'default([1, 2])' } }
    exec: if (templify("{{#each list}}{{this}},{{/each}}", args) !== "1,2,") throw "it is filled otherwise"
  - name: B
    exec: |
      if ($path({ a: 1 }, "a") !== 1) throw "the path is another one";
      if ($csv().fromInString("a\\n1").toOutArray()[0].a !== "1") throw "the CSV is another one";
      if (af.fromXML2Obj("<a>1</a>").a !== "1") throw "the XML is another one";
      if (typeof $rest().get("http://127.0.0.1:1").error !== "string") throw "the request went elsewhere";
todo: [A, B]
`;

/** Runs a job file by the packed program. Resolves to its exit code. */
async function runPacked() {
  const file = join(consumer, "jobs.yaml");
  writeFileSync(file, JOB_FILE);
  return await run(process.execPath, [join(consumer, "node_modules/@ojm/cli/dist/main.js"), "run", file]);
}

const host = { getCurrentDirectory: () => consumer, getCanonicalFileName: (name) => name, getNewLine: () => "\n" };

/** Creates a `node_modules` with the packed packages, and with their dependencies from this repository. */
async function unpack(tarballs) {
  rmSync(consumer, { recursive: true, force: true });
  for (const { name, path, manifest } of published()) {
    const folder = join(consumer, "node_modules", name);
    mkdirSync(folder, { recursive: true });
    await run("tar", ["xzf", tarballs.get(name), "-C", folder, "--strip-components=1"]);
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (!tarballs.has(dependency)) link(join(path, "node_modules", dependency), dependency);
    }
  }
  writeFileSync(join(consumer, "package.json"), '{ "type": "module", "private": true }\n');
}

function link(from, name) {
  const to = join(consumer, "node_modules", name);
  mkdirSync(dirname(to), { recursive: true });
  rmSync(to, { force: true });
  symlinkSync(from, to);
}

/** Every entry of every package. */
function entries() {
  return published().flatMap(({ name, manifest }) =>
    Object.keys(manifest.exports ?? {})
      .filter((entry) => !entry.endsWith(".json"))
      .map((entry) => name + entry.slice(1)),
  );
}

function importAll() {
  const lines = entries().map((entry, i) => `export * as entry${i} from "${entry}";`);
  const file = join(consumer, "all.ts");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/**
 * Writes the programs of a page, which may import each other. Skips programs beside sources of their own,
 * which have tests.
 */
function writePrograms(page) {
  if (page.startsWith("examples/")) return [];
  const folder = join(consumer, page.replaceAll("/", "-"));
  mkdirSync(folder, { recursive: true });
  return snippets(page)
    .filter(({ program }) => program)
    .map(({ name, code }) => {
      const file = join(folder, name);
      writeFileSync(file, code);
      return file;
    });
}

/**
 * Resolves to how many declared values are not exported at run time. If a type is exported as a value by
 * mistake, a program compiles and does not start.
 */
async function missingValues(program) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(consumer, "all.ts"));
  let missing = 0;
  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
    const declared = checker
      .getExportsOfModule(checker.getAliasedSymbol(exported))
      .filter((each) => isValue(checker, each));
    const entry = entries()[Number(exported.name.replace("entry", ""))];
    const url = createRequire(join(consumer, "all.js")).resolve(entry);
    const there = await import(url);
    for (const { name } of declared) {
      if (name in there) continue;
      console.error(`${entry} declares the value "${name}" and does not export it`);
      missing++;
    }
  }
  return missing;
}

function isValue(checker, symbol) {
  // A class that is exported as a type does not exist at run time.
  if (symbol.declarations?.some((each) => ts.isExportSpecifier(each) && each.isTypeOnly)) return false;
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return (target.flags & ts.SymbolFlags.Value) !== 0;
}
