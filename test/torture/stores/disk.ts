import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Heal } from "../faults/heal.js";

/** Mounts a small disk in memory on `folder`. Throws with the reason if the system refuses. */
export function mountSmallDisk(folder: string, megabytes: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "pipe" });
}

export function unmount(folder: string): void {
  spawnSync("umount", ["--lazy", folder]);
}

/** Why this machine cannot mount a small disk; `undefined` if it can. */
export function whyNoSmallDisk(folder: string): string | undefined {
  try {
    mountSmallDisk(folder, 1);
    unmount(folder);
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Fills the disk of `folder`. The returned function frees it again. */
export function fill(folder: string): Heal {
  const path = join(folder, "filler");
  const file = openSync(path, "a");
  for (let size = 65_536; size >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(size, "x"));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(file);
  return async () => rmSync(path);
}
