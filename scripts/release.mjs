import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { verified } from "./lib/pack.mjs";
import { contentOf, integrity, packRelease, printTable, tarballsOf } from "./lib/release.mjs";
import { root } from "./lib/run.mjs";
import { LINES, MANAGERS, runMatrix, wantedCells } from "./nodes/matrix.mjs";

const USAGE = `npm run release -- --dry-run [--node ${LINES}] [--manager ${MANAGERS}] [--files] [--no-install]
npm run release -- --from FOLDER

--dry-run     publishes nothing. Builds and packs everything into dist/packages, installs the tarballs in empty folders under each Node by
              each package manager, and runs the quick start there. Then prints what would be published, in this order
--files       prints the files in each package, too
--no-install  leaves out the installations
--from        stages the tarballs that SHA256SUMS of this folder names. Only the release workflow can: see .github/workflows/release.yml

Exit codes: 0 all is well, 1 something failed, 2 the command is wrong, or is not run by the release workflow`;

const { values } = options();
if (values.help) {
  console.log(USAGE);
  process.exit();
}
process.exit(values["dry-run"] ? await dryRun() : release());

function options() {
  try {
    return parseArgs({
      options: {
        "dry-run": { type: "boolean", default: false },
        from: { type: "string" },
        node: { type: "string", default: LINES },
        manager: { type: "string", default: MANAGERS },
        files: { type: "boolean", default: false },
        "no-install": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    refuse(`${error.message} See npm run release -- --help`);
  }
}

async function dryRun() {
  const folder = join(root, "dist/packages");
  const cells = wantedCells(values);
  await install();
  await build();
  const tarballs = await packRelease(folder);
  // Reads back what a release would, with its hashes.
  const contents = tarballsOf(verified(folder)).map(contentOf);
  const failed = values["no-install"] ? 0 : await runMatrix({ ...cells, tarballs, quick: true });
  console.log(`\nWould be published, in this order, from ${folder}:\n`);
  printTable([
    ["", "package", "version", "tag", "files", "packed", "unpacked", "sha256"],
    ...contents.map(({ name, version, tag, files, packed, unpacked, hash }, i) => [
      ...[String(i + 1), name, version, tag, String(files.length), kilobytes(packed), kilobytes(unpacked)],
      hash.slice(0, 16),
    ]),
  ]);
  if (values.files) for (const { name, files } of contents) console.log(`\n${name}\n  ${files.join("\n  ")}`);
  console.log("\nNothing was published.");
  return failed === 0 ? 0 : 1;
}

function kilobytes(bytes) {
  return `${Math.ceil(bytes / 1024)} kB`;
}

/** Stages each tarball: a maintainer approves it on npm, by a second factor. Returns an exit code. */
function release() {
  const { GITHUB_ACTIONS, ACTIONS_ID_TOKEN_REQUEST_URL, GITHUB_REF = "" } = process.env;
  if (GITHUB_ACTIONS !== "true" || ACTIONS_ID_TOKEN_REQUEST_URL === undefined) {
    refuse("Only the release workflow publishes. To see what it would publish: npm run release -- --dry-run");
  }
  if (values.from === undefined) refuse("Give the folder of the tarballs: npm run release -- --from FOLDER");
  let tarballs;
  try {
    tarballs = tarballsOf(verified(resolve(values.from))).map((tarball) => ({ tarball, ...contentOf(tarball) }));
  } catch (error) {
    console.error(`Nothing was staged: ${error.message}.`);
    return 1;
  }
  const { version } = tarballs.find(({ name }) => name === "@ojm/core");
  if (GITHUB_REF !== `refs/tags/v${version}`) refuse(`${GITHUB_REF} is not the tag of version ${version}.`);
  const has = npm(["--version"]).stdout.trim();
  const [major, minor] = has.split(".").map(Number);
  if (major < 11 || (major === 11 && minor < 15))
    refuse(`npm ${has} cannot stage: the workflow needs npm 11.15 or later.`);

  const rows = [["package", "version", "tag", "outcome"]];
  for (const each of tarballs) rows.push([each.name, each.version, each.tag, staged(each)]);
  printTable(rows);
  return rows.some(([, , , outcome]) => outcome.startsWith("FAILED")) ? 1 : 0;
}

/**
 * Stages a tarball, unless its version is on npm already: the driver for Node 20 changes seldom, and a
 * workflow may run again after a failure. Returns the outcome.
 */
function staged({ tarball, name, version, tag }) {
  const published = publishedIntegrity(name, version);
  if (published === undefined) return "FAILED: npm does not say whether it is published";
  if (published !== null)
    return published === integrity(tarball) ? "is published" : "FAILED: another file is published as this version";
  // npm proves by the token of the workflow which commit and workflow this is: it needs no secret.
  const args = ["stage", "publish", tarball, "--tag", tag, "--access", "public"];
  const { status, stderr } = npm(args, { npm_config_provenance: "true" });
  if (status === 0) return "staged";
  // The token of a workflow cannot read what is staged. The draft on GitHub has the hash of what was.
  return /E409/.test(stderr) && /previously (?:staged|published) version/.test(stderr) ? "was staged before" : "FAILED";
}

/** The hash of a published version as npm has it, null if it is not published, undefined if npm fails. */
function publishedIntegrity(name, version) {
  const { status, stdout, stderr } = npm(["view", `${name}@${version}`, "dist.integrity", "--json"]);
  if (status === 0 && stdout !== "") return JSON.parse(stdout);
  return status === 0 || /E404/.test(stderr + stdout) ? null : undefined;
}

/** Runs npm, and prints its messages. `defaults`: for variables that the environment does not have. */
function npm(args, defaults = {}) {
  const done = spawnSync("npm", args, { encoding: "utf8", env: { ...defaults, ...process.env } });
  process.stderr.write(done.stderr);
  return done;
}

function refuse(why) {
  console.error(why);
  process.exit(2);
}
