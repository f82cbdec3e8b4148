import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";

/* A release stages only what was built, and only in the release workflow. Its versions are the next ones. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SCRIPT = join(ROOT, "scripts/release.mjs");
const WORKFLOW = {
  GITHUB_ACTIONS: "true",
  ACTIONS_ID_TOKEN_REQUEST_URL: "http://127.0.0.1:1",
  GITHUB_REF: "refs/tags/v0.1.0",
};

/** A folder as `npm run pack` leaves it, with one package. */
let folder: string;
let tarball: string;

beforeEach(() => {
  folder = temporaryFolder();
  tarball = join(folder, "ojm-core-0.1.0.tgz");
  const source = join(folder, "package");
  const manifest = JSON.stringify({ name: "@ojm/core", version: "0.1.0" });
  expect(spawnSync("mkdir", [source]).status).toBe(0);
  writeFileSync(join(source, "package.json"), manifest);
  expect(spawnSync("tar", ["-czf", tarball, "-C", folder, "package"]).status).toBe(0);
  rmSync(source, { recursive: true });
  const sum = createHash("sha256").update(readFileSync(tarball)).digest("hex");
  writeFileSync(join(folder, "SHA256SUMS"), `${sum}  ojm-core-0.1.0.tgz\n`);
});

/** Runs a release, by default against a registry that does not answer. */
function release(env: Record<string, string>, ...words: string[]): Promise<{ status: unknown; output: string }> {
  const { GITHUB_ACTIONS, ACTIONS_ID_TOKEN_REQUEST_URL, ...outside } = process.env;
  const registry = { npm_config_registry: "http://127.0.0.1:1", npm_config_fetch_retries: "0" };
  const options = { env: { ...outside, ...registry, ...env }, encoding: "utf8" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...words], options, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

test("a release outside its workflow is refused in one line", async () => {
  const { status, output } = await release({}, "--from", folder);
  expect(status).toBe(2);
  expect(output).toMatch(/^Only the release workflow publishes\..*--dry-run\n$/);
});

test("a release by an npm that cannot stage is refused in one line", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), "#!/bin/sh\necho 11.14.9\n", { mode: 0o755 });
  const { status, output } = await release({ ...WORKFLOW, PATH: `${bin}:${process.env.PATH}` }, "--from", folder);
  expect(status).toBe(2);
  expect(output).toBe("npm 11.14.9 cannot stage: the workflow needs npm 11.15 or later.\n");
});

test("a release of a tag that is not the version of the packages is refused", async () => {
  const { status, output } = await release({ ...WORKFLOW, GITHUB_REF: "refs/tags/v0.2.0" }, "--from", folder);
  expect(status).toBe(2);
  expect(output).toBe("refs/tags/v0.2.0 is not the tag of version 0.1.0.\n");
});

test("a release stages nothing if a tarball is not the one that was built", async () => {
  writeFileSync(tarball, "another one");
  const { status, output } = await release(WORKFLOW, "--from", folder);
  expect(status).toBe(1);
  expect(output).toBe("Nothing was staged: ojm-core-0.1.0.tgz is not the file that was built.\n");
});

test("a release stages nothing if the folder has a tarball that was not built", async () => {
  writeFileSync(join(folder, "ojm-other-0.1.0.tgz"), "");
  const { status, output } = await release(WORKFLOW, "--from", folder);
  expect(status).toBe(1);
  expect(output).toBe("Nothing was staged: SHA256SUMS does not name ojm-other-0.1.0.tgz.\n");
});

/*
 * The replies of npm to a release, by a server of the test: the real registry would publish. Its wording of a
 * conflict is that of https://github.com/npm/cli/issues/9519.
 */
const npm = spawnSync("npm", ["--version"], { encoding: "utf8" }).stdout;
const [npmMajor = 0, npmMinor = 0] = npm.split(".").map(Number);
const canStage = npmMajor > 11 || (npmMajor === 11 && npmMinor >= 15);

// The build of a release runs this by the npm that stages.
describe.skipIf(!canStage)(`with npm ${canStage ? "" : "before 11.15, which stages nothing"}`, () => {
  test("a release that cannot reach the registry fails", async () => {
    const { status, output } = await release(WORKFLOW, "--from", folder);
    expect(output).toMatch(/^@ojm\/core +0\.1\.0 +latest +FAILED: npm does not say whether it is published$/m);
    expect(status).toBe(1);
  });

  /** The versions that the registry has: the hash of one that is published, "staged" for one that waits. */
  async function releaseTo(versions: Map<string, string>): Promise<{ status: unknown; output: string }> {
    const server = createServer(async (request, response) => {
      const chunks = await request.toArray();
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      };
      const entries = [...versions].filter(([, value]) => value !== "staged");
      const published = entries.map(([version, hash]) => [
        version,
        { name: "@ojm/core", version, dist: { integrity: hash, tarball: "http://127.0.0.1:1/a.tgz" } },
      ]);
      if (request.method === "GET") return answer(200, { name: "@ojm/core", versions: Object.fromEntries(published) });
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { versions: Record<string, unknown> };
      const [version = ""] = Object.keys(body.versions);
      if (request.url !== "/-/stage/package/@ojm%2fcore") return answer(405, {});
      if (versions.has(version))
        return answer(409, { error: `Cannot stage previously published version "${version}".` });
      versions.set(version, "staged");
      answer(200, { stageId: "6b0fd2c1-9f0c-4f5b-9c55-0d6b1f7a3c11" });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const cache = temporaryFolder();
    const env = {
      npm_config_registry: `http://127.0.0.1:${port}/`,
      [`npm_config_//127.0.0.1:${port}/:_authToken`]: "of the test",
      npm_config_cache: cache,
      // It would be signed by a server of GitHub.
      npm_config_provenance: "false",
    };
    return release({ ...WORKFLOW, ...env }, "--from", folder);
  }

  const outcome = (output: string): string | undefined => /^@ojm\/core +0\.1\.0 +latest +(.*)$/m.exec(output)?.[1];

  test("a release that runs again leaves alone what it staged before", async () => {
    const versions = new Map([["0.0.0", "sha512-AAAA"]]);
    const first = await releaseTo(versions);
    expect([first.status, outcome(first.output)]).toEqual([0, "staged"]);
    expect(versions.get("0.1.0")).toBe("staged");
    const second = await releaseTo(versions);
    expect([second.status, outcome(second.output)]).toEqual([0, "was staged before"]);
  });

  test("a release leaves alone a version that is published with the same bytes", async () => {
    const hash = createHash("sha512").update(readFileSync(tarball)).digest("base64");
    const { status, output } = await releaseTo(new Map([["0.1.0", `sha512-${hash}`]]));
    expect([status, outcome(output)]).toEqual([0, "is published"]);
  });

  test("a release fails if a version is published with other bytes", async () => {
    const { status, output } = await releaseTo(new Map([["0.1.0", "sha512-AAAA"]]));
    expect([status, outcome(output)]).toEqual([1, "FAILED: another file is published as this version"]);
  });
});

describe("the draft of a release, which keeps the hashes of what may be staged", () => {
  const text = readFileSync(join(ROOT, ".github/workflows/release.yml"), "utf8");
  const [, step = ""] = /GH_REPO: .*\n +run: \|\n((?: {10}.*\n)+)/.exec(text) ?? [];
  /** A command that keeps one release in a folder, as GitHub would: nothing here may write to GitHub. */
  const GH = `#!/usr/bin/env bash
set -e
drafted="$RELEASE"
case "$2" in
  view) test -d "$drafted" && ls "$drafted" ;;
  create) mkdir "$drafted" ;;
  download) cat "$drafted/SHA256SUMS" ;;
  upload) for file in "\${@:4}"; do case "$file" in --clobber) ;; *) cp "$file" "$drafted" ;; esac; done ;;
esac
`;

  /** Runs the step of the workflow in a folder, as GitHub does. `release`: the folder of the draft. */
  function draft(cwd: string, release: string): number | null {
    const bin = temporaryFolder();
    writeFileSync(join(bin, "gh"), GH, { mode: 0o755 });
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, RELEASE: release, GITHUB_REF_NAME: "v0.1.0" };
    return spawnSync("bash", ["-e", "-c", step], { cwd, env }).status;
  }

  test("a draft is made once, and stops a release of other files than before", () => {
    const home = temporaryFolder();
    const packed = join(home, "dist/packages");
    mkdirSync(join(packed, "node20"), { recursive: true });
    cpSync(join(folder, "SHA256SUMS"), join(packed, "SHA256SUMS"));
    for (const file of ["a.cdx.json", "node20/b.cdx.json"]) writeFileSync(join(packed, file), "{}");
    const drafted = join(home, "draft");
    expect(draft(home, drafted)).toBe(0);
    expect(existsSync(join(drafted, "b.cdx.json"))).toBe(true);
    expect(draft(home, drafted), "the same files again").toBe(0);
    rmSync(join(drafted, "SHA256SUMS"));
    expect(draft(home, drafted), "after an upload that failed").toBe(0);
    writeFileSync(join(packed, "SHA256SUMS"), "another\n");
    expect(draft(home, drafted), "other files").not.toBe(0);
  });
});

test("a new feature makes the next minor version of all packages, and keeps what they depend on", () => {
  const git = (...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync("git", words, { cwd: folder, encoding: "utf8" });
    expect(stderr + String(status)).toMatch(/0$/);
    return stdout;
  };
  const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" }).stdout;
  const needed = listed
    .split("\n")
    .filter((file) => /^(?:packages\/[^/]+\/package|package)\.json$|^\.changeset\//.test(file));
  for (const file of [...needed, "pnpm-workspace.yaml"]) cpSync(join(ROOT, file), join(folder, file));
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  const own = ["user.name=a", "user.email=a@example.com", "commit.gpgsign=false", "core.hooksPath=/dev/null"];
  git(...own.flatMap((setting) => ["-c", setting]), "commit", "--quiet", "--message=a");
  writeFileSync(join(folder, ".changeset/feature.md"), '---\n"@ojm/core": minor\n---\n\nA feature.\n');

  const { status } = spawnSync(process.execPath, [join(ROOT, "scripts/version.mjs")], { cwd: folder });
  expect(status).toBe(0);
  const { version } = JSON.parse(readFileSync(join(ROOT, "packages/core/package.json"), "utf8")) as { version: string };
  const [major, minor] = version.split(".").map(Number);
  // Each package has one line that changed.
  const changes = git("diff", "--unified=0", "--", "packages").match(/^[+-] .*/gm) ?? [];
  expect([...new Set(changes)]).toEqual([
    `-  "version": "${version}",`,
    `+  "version": "${major}.${Number(minor) + 1}.0",`,
  ]);
  expect(changes.length).toBeGreaterThan(20);
});
