import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { beforeEach, expect, test } from "vitest";

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

/** Runs a release against a registry that does not answer. */
function release(env: Record<string, string>, ...words: string[]): { status: number | null; output: string } {
  const { GITHUB_ACTIONS, ACTIONS_ID_TOKEN_REQUEST_URL, ...outside } = process.env;
  const registry = { npm_config_registry: "http://127.0.0.1:1", npm_config_fetch_retries: "0" };
  const options = { env: { ...outside, ...registry, ...env }, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...words], options);
  return { status, output: stdout + stderr };
}

test("a release outside its workflow is refused in one line", () => {
  const { status, output } = release({}, "--from", folder);
  expect(status).toBe(2);
  expect(output).toMatch(/^Only the release workflow publishes\..*--dry-run\n$/);
});

test("a release of a tag that is not the version of the packages is refused", () => {
  const { status, output } = release({ ...WORKFLOW, GITHUB_REF: "refs/tags/v0.2.0" }, "--from", folder);
  expect(status).toBe(2);
  expect(output).toBe("refs/tags/v0.2.0 is not the tag of version 0.1.0.\n");
});

test("a release stages nothing if a tarball is not the one that was built", () => {
  writeFileSync(tarball, "another one");
  const { status, output } = release(WORKFLOW, "--from", folder);
  expect(status).toBe(1);
  expect(output).toBe("Nothing was staged: ojm-core-0.1.0.tgz is not the file that was built.\n");
});

test("a release stages nothing if the folder has a tarball that was not built", () => {
  writeFileSync(join(folder, "ojm-other-0.1.0.tgz"), "");
  const { status, output } = release(WORKFLOW, "--from", folder);
  expect(status).toBe(1);
  expect(output).toBe("Nothing was staged: SHA256SUMS does not name ojm-other-0.1.0.tgz.\n");
});

test("a release that cannot reach the registry fails", () => {
  const { status, output } = release(WORKFLOW, "--from", folder);
  expect(output).toMatch(/^@ojm\/core +0\.1\.0 +latest +FAILED$/m);
  expect(status).toBe(1);
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
