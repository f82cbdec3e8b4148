import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** The most bytes, with gzip, of the first load and of all files. */
const FIRST = 68 * 1024;
const ALL = 100 * 1024;

/** Fails the build if the pages become too large for a slow connection. */
export function budget(): Plugin {
  return {
    name: "ojm-budget",
    apply: "build",
    writeBundle(_, bundle) {
      const sizes = new Map(Object.values(bundle).map((file) => [file.fileName, gzipSync(contentOf(file)).length]));
      const entries = Object.values(bundle).filter((file) => file.type === "chunk" && file.isEntry);
      const first = new Set(entries.flatMap(({ fileName }) => [...withImports(bundle, fileName)]));
      const sum = (names: Iterable<string>): number =>
        [...names].reduce((bytes, name) => bytes + (sizes.get(name) ?? 0), 0);
      const [loaded, all] = [sum(["index.html", ...first]), sum(sizes.keys())];
      this.info(`first load ${kib(loaded)} of ${kib(FIRST)}, all ${kib(all)} of ${kib(ALL)} (gzip)`);
      if (loaded > FIRST) this.error(`the first load has ${kib(loaded)} with gzip, at most ${kib(FIRST)}`);
      if (all > ALL) this.error(`all files have ${kib(all)} with gzip, at most ${kib(ALL)}`);
    },
  };
}

type Bundle = Rolldown.OutputBundle;

/** A chunk, all that it imports statically, and their style sheets. */
function withImports(bundle: Bundle, name: string, found: Set<string> = new Set()): Set<string> {
  const file = bundle[name];
  if (file?.type !== "chunk" || found.has(name)) return found;
  found.add(name);
  for (const css of file.viteMetadata?.importedCss ?? []) found.add(css);
  for (const imported of file.imports) withImports(bundle, imported, found);
  return found;
}

const contentOf = (file: Rolldown.OutputAsset | Rolldown.OutputChunk): string | Uint8Array =>
  file.type === "chunk" ? file.code : file.source;

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
