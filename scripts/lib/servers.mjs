import { existsSync } from "node:fs";
import { onPath, run } from "./run.mjs";

const WANTED = [
  { packages: ["redis-server"], programs: ["redis-server"], for: "the tests on Redis" },
  { packages: ["valkey-server"], programs: ["valkey-server"], for: "the tests on Valkey" },
  { packages: ["etcd-server", "etcd-client"], programs: ["etcd"], for: "the tests on etcd" },
];

/** Installs the servers that the tests start, where that is possible; otherwise says how. Tests without their server are reported as skipped. */
export async function installServers() {
  const missing = WANTED.filter(({ programs }) => onPath(...programs) === undefined);
  if (missing.length === 0) return;
  const names = missing.flatMap(({ packages }) => packages);
  const may = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (may) {
    console.error(`installing ${names.join(", ")} …`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { quiet: true, quietErrors: true, env });
    // One by one: an older Debian has no Valkey, and must get the others.
    for (const name of names)
      await run("apt-get", ["install", "-y", "-qq", name], { quiet: true, quietErrors: true, env });
  }
  for (const { packages, programs, for: purpose } of missing) {
    if (onPath(...programs) !== undefined) continue;
    console.error(
      `${programs[0]} is not installed: ${purpose} are skipped. On Debian: apt-get install ${packages.join(" ")}`,
    );
  }
}
