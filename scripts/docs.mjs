import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { install } from "./lib/install.mjs";
import { root, stop } from "./lib/run.mjs";

const HELP = `npm run docs [-- OPTIONS]      builds the site of docs/, with the API reference

  --out FOLDER    where to write it (docs/.vitepress/dist)
  --base PATH     where it will be served, such as /ojm/ (/)

To see it while you write, without the API reference: npx vitepress dev docs`;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(root, "docs/.vitepress/dist") },
    base: { type: "string", default: "/" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const out = resolve(values.out);

await install();
// Imported here: they need packages that a fresh clone has only once the dependencies are installed.
const { build } = await import("vitepress");
const { writeApi } = await import("./lib/docs/api.mjs");
const { brokenAnchors } = await import("./lib/docs/anchors.mjs");

// The site is built from a copy, so that what is generated is never beside the pages.
mkdirSync(join(root, ".cache"), { recursive: true });
const copy = mkdtempSync(join(root, ".cache/docs-"));
const docs = join(copy, "docs");
try {
  const generated = /\.vitepress\/(dist|cache|\.temp)$/;
  cpSync(join(root, "docs"), docs, { recursive: true, filter: (path) => !generated.test(path) });
  // The files of the root that pages include.
  for (const file of readdirSync(root).filter((name) => name.endsWith(".md")))
    cpSync(join(root, file), join(copy, file));
  await writeApi(join(docs, "reference/api"));
  await build(docs, { outDir: out, base: values.base });
} catch (error) {
  // VitePress has listed the dead links.
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
if (process.exitCode !== 1) {
  const broken = brokenAnchors(out, values.base);
  if (broken.length > 0)
    stop(`${broken.length} links lead to no heading:\n${broken.join("\n")}`, "Correct the anchors.");
  console.error(`The site is in ${out}. To see it: npx vitepress preview docs`);
}
