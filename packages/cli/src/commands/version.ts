import { readFileSync } from "node:fs";
import { expectNoMore } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { print } from "../output/print.js";

/** Prints the version of this package. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  // One folder up, in the sources and in the build.
  const file = new URL(
    "../package.json",
    new URL(import.meta.url.endsWith("/commands/version.ts") ? ".." : ".", import.meta.url),
  );
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  print(`${version}\n`);
  return 0;
}
