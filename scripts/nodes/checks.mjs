import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/run.mjs";
import { pages, snippets } from "../lib/snippets.mjs";
import { program } from "./install.mjs";

/** Runs a program. Returns its output as `stdout`, or what went wrong as `wrong`. */
function attempt(what, command, args, options) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    timeout: 300_000,
  });
  if (status !== 0) return { wrong: `${what} ended with ${signal ?? status}: ${telling(`${stdout}${stderr}`)}` };
  return { stdout };
}

/** The end of an output, without the cases of the suite that passed or were skipped: they would fill it. */
function telling(output) {
  const told = output.replaceAll(/^(?:ok|skipped) .*\n(?: .*\n)*/gm, "");
  return told.slice(-8_000);
}

/** The addresses in the files, each with the address of the server that replaces it. */
const addresses = ({ redis, etcd, postgres }) => [
  ["redis://localhost:6379", `redis://127.0.0.1:${redis}`],
  ["redis://127.0.0.1:6379", `redis://127.0.0.1:${redis}`],
  ["127.0.0.1:2379", `127.0.0.1:${etcd}`],
  ["postgres@127.0.0.1:5432", `postgres@127.0.0.1:${postgres}`],
];

function withServers(text, servers) {
  return addresses(servers).reduce((result, [named, actual]) => result.replaceAll(named, actual), text);
}

/**
 * Runs the quick start on each store whose server is there, as it is in `examples`. Returns what went wrong,
 * or `undefined`.
 */
export function quickStarts({ folder, env, servers }) {
  const examples = join(root, "examples");
  const absent = ["redis", "etcd", "postgres"]
    .filter((name) => servers[name] === undefined)
    .map((name) => `${name}.yaml`);
  const stores = readdirSync(join(examples, "init")).filter((name) => !absent.includes(name));
  const files = ["quick-start.yaml", ...stores.map((name) => `init/${name}`)];
  mkdirSync(join(folder, "init"), { recursive: true });
  for (const name of files) {
    writeFileSync(join(folder, name), withServers(readFileSync(join(examples, name), "utf8"), servers));
    const { wrong } = attempt(name, program(folder, "ojm"), ["run", name], { cwd: folder, env });
    if (wrong !== undefined) return wrong;
  }
}

/** Runs every JavaScript program that a README shows, as pasted. Returns what went wrong, or `undefined`. */
export function readmePrograms({ folder, env, servers }) {
  for (const page of pages()) {
    const files = snippets(page);
    const place = join(folder, page.replaceAll(/[/.]/g, "-"));
    mkdirSync(place, { recursive: true });
    for (const { name, code } of files) writeFileSync(join(place, name), withServers(code, servers));
    for (const { name, prints, line } of files.filter((file) => file.name.endsWith(".mjs"))) {
      const { wrong, stdout } = attempt(`${page}:${line}`, "node", [name], { cwd: place, env });
      if (wrong !== undefined) return wrong;
      if (prints !== undefined && prints !== stdout) return `${page}:${line} prints ${JSON.stringify(stdout)}`;
    }
  }
}

/** As strict as the declarations of Node allow. Those of all packages are checked too. */
const STRICT = [
  ...["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "false"],
  ...["--experimentalDecorators", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,esnext.disposable"],
  ...["--types", "node", "--typeRoots", join(root, "node_modules/@types")],
];

/**
 * Compiles an application with every export of the package, and runs one in CommonJS on each platform of
 * Nest. Returns what went wrong, or `undefined`.
 */
export function nestApplication({ folder, env }) {
  const types = join(folder, "nest-application.ts");
  copyFileSync(join(root, "packages/nestjs/src/testing/every-export.ts"), types);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const compiled = attempt("the types of the Nest application", "node", [tsc, ...STRICT, types], { cwd: folder, env });
  if (compiled.wrong !== undefined) return compiled.wrong;
  const file = join(folder, "nest-application.cjs");
  copyFileSync(join(root, "packages/nestjs/src/testing/application.cjs"), file);
  for (const platform of ["express", "fastify"]) {
    const what = `the Nest application on ${platform}`;
    const { wrong, stdout } = attempt(what, "node", [file, platform], { cwd: folder, env });
    if (wrong !== undefined) return wrong;
    if (stdout !== "done\n") return `${what} prints ${JSON.stringify(stdout)}`;
  }
}

/** How the suite opens each backend. */
const harnesses = ({ redis, etcd, postgres }) => ({
  simple: `export { backend } from "@ojm/simple";`,
  level: inFolder("level", "path"),
  sqlite: inFolder("sqlite", "file"),
  redis: onServer("redis", `{ url: "redis://127.0.0.1:${redis}" }`),
  etcd: onServer("etcd", `{ hosts: "127.0.0.1:${etcd}" }`),
  postgres: onServer("postgres", `{ url: "postgres://postgres@127.0.0.1:${postgres}/postgres" }`, "schema"),
});

/** The suite also opens the backend in other processes, and needs its path for that. */
const inFolder = (name, option) => `import { fileURLToPath } from "node:url";
import { inFolder } from "@ojm/conformance";
import { backend } from "@ojm/${name}";
const module = fileURLToPath(import.meta.resolve("@ojm/${name}"));
export const harness = inFolder({ type: backend, module, args: (folder) => ({ ${option}: folder + "/store" }) });`;

/** Each store of the suite has its own prefix, or its own schema, on the one server. */
const onServer = (name, args, own = "keyPrefix") => `import { systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/${name}";
let stores = 0;
export const harness = {
  name: "${name}",
  async open() {
    const ${own} = "suite-" + process.pid + "-" + ++stores + ":";
    return { client: () => backend.open({ ...${args}, ${own} }, { clock: systemClock }), close: async () => {} };
  },
};`;

/** Runs the quick part of the conformance suite on every backend. Returns what went wrong, or `undefined`. */
export function suites({ folder, env, servers }) {
  for (const [name, code] of Object.entries(harnesses(servers))) {
    const file = `suite-${name}.mjs`;
    writeFileSync(join(folder, file), code);
    const args = [`./${file}`, "--profile", "smoke", "--quiet"];
    const { wrong } = attempt(`the suite on ${name}`, program(folder, "ojm-conformance"), args, { cwd: folder, env });
    if (wrong !== undefined) return wrong;
  }
}
