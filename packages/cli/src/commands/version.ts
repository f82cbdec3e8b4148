import { readFileSync } from "node:fs";

/** Prints the version of this package. */
export async function execute(): Promise<number> {
  // One folder up in the sources and in the build alike.
  const file = new URL(
    "../package.json",
    new URL(import.meta.url.endsWith("/commands/version.ts") ? ".." : ".", import.meta.url),
  );
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  process.stdout.write(`${version}\n`);
  return 0;
}
