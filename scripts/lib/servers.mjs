import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { onPath, run } from "./run.mjs";

const WANTED = [
  { packages: ["redis-server"], programs: ["redis-server"], for: "the tests on Redis" },
  { packages: ["valkey-server"], programs: ["valkey-server"], for: "the tests on Valkey" },
  { packages: ["etcd-server", "etcd-client"], programs: ["etcd"], for: "the tests on etcd" },
  {
    packages: ["faketime"],
    programs: ["faketime"],
    for: "the cells of the torture harness in which a wall clock jumps",
  },
  {
    packages: ["iproute2"],
    programs: ["ip"],
    for: "the cells of the torture harness with several nodes, each on a network of its own",
  },
  { packages: ["chromium"], programs: ["chromium"], for: "the tests of the pages in a browser" },
  {
    packages: ["postgresql"],
    programs: ["postgres"],
    for: "the tests on PostgreSQL",
    found: () => postgresFolder() !== undefined,
  },
  { packages: ["pgbouncer"], programs: ["pgbouncer"], for: "the tests on PostgreSQL behind a pooler" },
];

/**
 * The folder of the programs of PostgreSQL; `undefined` if it is not installed. Debian keeps them off the
 * PATH, in a folder for each version.
 */
export function postgresFolder() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => `${debian}/${version}/bin`), ...(process.env.PATH ?? "").split(":")];
  return folders.find((folder) => existsSync(`${folder}/initdb`) && existsSync(`${folder}/postgres`));
}

const isThere = ({ programs, found = () => onPath(...programs) !== undefined }) => found();

/**
 * Without this, the installation of PostgreSQL creates a database and starts it, now and with each start of
 * the machine.
 */
function forbidCluster() {
  const folder = "/etc/postgresql-common/createcluster.d";
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/ojm-tests.conf`, "create_main_cluster = false\n");
}

/**
 * Installs the servers that the tests start, if that is possible; otherwise says how. Tests without their
 * server are reported as skipped.
 */
export async function installServers() {
  const missing = WANTED.filter((wanted) => !isThere(wanted));
  if (missing.length === 0) return;
  const names = missing.flatMap(({ packages }) => packages);
  const may = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (may) {
    console.error(`installing ${names.join(", ")} …`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { quiet: true, quietErrors: true, env });
    if (names.includes("postgresql")) forbidCluster();
    // Install them one by one: an older Debian has no Valkey, and must get the others.
    for (const name of names)
      await run("apt-get", ["install", "-y", "-qq", name], { quiet: true, quietErrors: true, env });
  }
  for (const wanted of missing) {
    if (isThere(wanted)) continue;
    const { packages, programs, for: purpose } = wanted;
    console.error(
      `${programs[0]} is not installed: ${purpose} are skipped. On Debian: apt-get install ${packages.join(" ")}`,
    );
  }
}
