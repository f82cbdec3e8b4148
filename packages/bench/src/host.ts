import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a process runs. A process of "another" host sees another boot id. */
export type Host = "same" | "another";

/** Starts a program with a channel for messages. `folder`: for its boot id. */
export function startOn(host: Host, folder: string, program: string, args: readonly string[]): ChildProcess {
  const node = [process.execPath, "--import", "tsx", program, ...args];
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  if (host === "same") return spawn(node[0] ?? "", node.slice(1), { stdio: [...stdio] });
  // Each counts as its own host: processes of one host would detect each other's death.
  const boot = randomUUID();
  const file = join(folder, boot);
  writeFileSync(file, `${boot}\n`);
  const bind = `mount --bind ${file} /proc/sys/kernel/random/boot_id && exec "$@"`;
  return spawn("unshare", ["--mount", "sh", "-c", bind, "sh", ...node], { stdio: [...stdio] });
}
