import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { jsArgs, tsArgs } from "@ojm/testing/programs";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { pages, type Snippet, snippets } from "../scripts/lib/snippets.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The comment of a program that stays until it gets SIGTERM. */
const STAYS = "// The program stays";

/** Pages whose programs need a server of their own, or a test runner. Other tests run them. */
const ONLY_COMPILED = ["examples/backend-postgres/README.md", "docs/how-to/write-a-backend.md"];

const POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres";

/** The address that the pages name, and the address of the server of this test. */
async function server(code: string): Promise<readonly [expected: string, actual: string]> {
  if (code.includes("redis://localhost:6379")) {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    return ["redis://localhost:6379", redis.url];
  }
  if (code.includes("127.0.0.1:2379")) {
    const etcd = await startEtcd();
    onTestFinished(() => etcd.stop());
    return ["127.0.0.1:2379", etcd.host];
  }
  if (code.includes(POSTGRES)) {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.stop());
    return [POSTGRES, postgres.url];
  }
  return ["", ""];
}

/** Why a program cannot run on this machine, if so. */
function missing(code: string): string | undefined {
  if (code.includes("redis://")) return whyMissing("redis-server");
  if (code.includes(POSTGRES)) return postgresMissing();
  return code.includes("127.0.0.1:2379") ? etcdMissing() : undefined;
}

/** The code of a program, and of the files of its page that it imports. */
function codeOf({ code }: Snippet, files: readonly Snippet[]): string {
  const imported = files.filter(({ name }) => code.includes(`"./${name.replace(/\.ts$/, ".js")}"`));
  return [code, ...imported.map((file) => file.code)].join("");
}

/** The packages whose programs need peers that only the package itself has. */
const WITH_PEERS = ["nestjs"];

/** A folder beneath this repository, so that the packages are found from there, with the files of a page. */
async function folderOf(page: string, files: readonly Snippet[], program: Snippet): Promise<string> {
  const owner = WITH_PEERS.find((name) => files.some(({ code }) => code.includes(`"@ojm/${name}"`)));
  const place = owner === undefined ? ROOT : join(ROOT, "packages", owner);
  const folder = join(place, "node_modules/.ojm/readme", `${page.replaceAll("/", "-")}-${program.line}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [expected, actual] = await server(codeOf(program, files));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(folder, "tsconfig.json"), '{ "compilerOptions": { "experimentalDecorators": true } }\n');
  for (const { name, code } of files) writeFileSync(join(folder, name), code.replaceAll(expected, actual));
  // A page beside sources of its own imports them as from its folder.
  const source = join(ROOT, page, "../src");
  if (existsSync(source)) symlinkSync(source, join(folder, "src"));
  return folder;
}

/** Runs a program until it ends. One that stays gets SIGTERM once it has printed all of `prints`. */
async function run({ name, code, prints = "" }: Snippet, cwd: string): Promise<string> {
  const node = [...(/\.m?ts$/.test(name) ? tsArgs() : jsArgs()), name];
  const child = spawn(process.execPath, node, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (data: string) => {
    printed += data;
    if (code.includes(STAYS) && printed === prints) child.kill("SIGTERM");
  });
  const [errors, ended] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect(ended, errors).toEqual([0, null]);
  return printed;
}

for (const page of pages()) {
  const files = snippets(page);
  const programs = files.filter(({ program }) => program);
  if (programs.length === 0 || ONLY_COMPILED.includes(page)) continue;
  describe(`the programs of ${page}`, () => {
    // `npm test` runs those of the README.
    for (const program of programs) {
      const why = missing(codeOf(program, files));
      it.skipIf(why !== undefined)(
        `the program ${program.name} of ${page} runs as pasted${why === undefined ? "" : `: ${why}`}`,
        { tags: page === "README.md" ? [] : ["full"] },
        async () => {
          const folder = await folderOf(page, files, program);
          const printed = await run(program, folder);
          if (program.prints !== undefined) expect(printed).toBe(program.prints);
        },
      );
    }
  });
}

it("pages that packages publish link to no file of the repository by a relative path", () => {
  const published = pages().filter((page) => page.startsWith("packages/"));
  const links = published.flatMap((page) => relativeLinks(page));
  expect(links).toEqual([]);
});

function relativeLinks(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/\]\((?!https?:|#)([^)]*)\)/g)].map(([, link]) => `${page}: ${link}`);
}
