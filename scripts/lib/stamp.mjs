import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./run.mjs";

/** A hash of the contents of files and folders. */
export function hashOf(paths, ...more) {
  const hash = createHash("sha256");
  for (const text of [process.version, ...more]) hash.update(`${text}\0`);
  for (const path of paths) add(hash, path);
  return hash.digest("hex");
}

function add(hash, path) {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      if (name !== "node_modules" && name !== "dist") add(hash, join(path, name));
    }
  } else {
    hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
  }
}

const file = (name) => join(root, "node_modules/.ojm", name);

/**
 * Whether the step `name` was done for this hash. The stamps are below node_modules: deleting that repeats
 * all steps.
 */
export function isDone(name, hash) {
  return existsSync(file(name)) && readFileSync(file(name), "utf8") === hash;
}

/** Records that the step `name` was done, or without a hash, that it was not. */
export function markDone(name, hash) {
  if (hash === undefined) return rmSync(file(name), { force: true });
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), hash);
}
