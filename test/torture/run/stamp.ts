import { spawnSync } from "node:child_process";
import type { Stamp } from "../report/finding.js";

/** The stamp of the code that runs now. */
export function stampNow(): Stamp {
  const changes = git("status", "--porcelain");
  const commit = `${git("rev-parse", "--short", "HEAD") || "unknown"}${changes === "" ? "" : "+changes"}`;
  return { commit, date: new Date().toISOString().slice(0, 10) };
}

function git(...args: readonly string[]): string {
  return (spawnSync("git", args, { encoding: "utf8" }).stdout ?? "").trim();
}
