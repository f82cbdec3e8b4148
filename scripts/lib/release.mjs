import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { pack, sha256, writeSums } from "./pack.mjs";
import { writeSboms } from "./sbom.mjs";

/** Packs all packages into a folder, as a release publishes them. Resolves to the tarballs by name. */
export async function packRelease(folder) {
  const tarballs = await pack(folder);
  const sboms = await writeSboms(tarballs);
  writeSums(folder, [...tarballs.values(), ...sboms]);
  return tarballs;
}

/** What a tarball is published as. */
export function contentOf(tarball) {
  const list = tar("-tzf", tarball).trim().split("\n");
  const { name, version } = JSON.parse(tar("-xzOf", tarball, "package/package.json"));
  return {
    name,
    version,
    tag: distTag(version),
    files: list.map((file) => file.replace(/^package\//, "")).sort(),
    packed: statSync(tarball).size,
    unpacked: gunzipSync(readFileSync(tarball)).length,
    hash: sha256(tarball),
  };
}

/** The hash of a file as npm writes it. */
export const integrity = (file) => `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;

/** A version such as 0.2.0-rc.1 is not what `npm install` chooses by itself. */
const distTag = (version) => (version.includes("-") ? "next" : "latest");

function tar(...args) {
  const { status, stdout, stderr } = spawnSync("tar", args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`tar ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}

/** The tarballs among the files of a release. */
export const tarballsOf = (files) => files.filter((file) => basename(file).endsWith(".tgz"));

/** Prints rows as a table. */
export function printTable(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] + 2))
        .join("")
        .trimEnd(),
    );
}
