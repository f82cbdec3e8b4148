import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, type } from "node:os";
import type { Machine } from "./result.js";

/** The commit that is checked out, with a mark if files were changed. */
export function commitNow(): string | undefined {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty=+changes", "--exclude=*"], {
      encoding: "utf8",
    }).trim();
  } catch {
    return undefined;
  }
}

/** The average load over the last minute. */
export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

export function machineNow(load: readonly [before: number, after: number]): Machine {
  const all = cpus();
  return { cpu: all[0]?.model ?? "unknown", cores: all.length, system: `${type()} ${release().split("-")[0]}`, load };
}
