import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** The version of a driver, as the package or file `from` resolves it. */
export function versionOf(driver: string, from: string | URL = import.meta.url): string {
  const file = createRequire(from).resolve(driver);
  // Most packages do not export their package.json, so look for it from their main file upwards.
  for (let folder = join(file, ".."); folder !== "/"; folder = join(folder, "..")) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (name === driver) return `${driver} ${version}`;
    } catch {}
  }
  return driver;
}
