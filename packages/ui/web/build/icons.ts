import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";
import { ICONS } from "./icon-names.js";

const ID = "virtual:icons";

/** Serves the shapes of the used icons as data: the browser parses no markup. */
export function icons(): Plugin {
  return {
    name: "ojm-icons",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) => (id === `\0${ID}` ? `export default ${JSON.stringify(shapes())}` : undefined),
  };
}

type Nodes = readonly (readonly [string, Readonly<Record<string, string>>])[];

function shapes(): Readonly<Record<string, Nodes>> {
  const file = createRequire(import.meta.url).resolve("lucide-static/icon-nodes.json");
  const all = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Nodes>>;
  const found = Object.entries(ICONS).map(([name, source]): [string, Nodes] => {
    const nodes = all[source];
    if (nodes === undefined) throw new Error(`lucide-static has no icon "${source}"`);
    return [name, nodes];
  });
  return Object.fromEntries(found);
}
