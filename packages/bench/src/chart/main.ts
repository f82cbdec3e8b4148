import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Result } from "../report/result.js";
import { chartsOf } from "./charts.js";
import { filled } from "./document.js";
import { tablesOf } from "./tables.js";

/** The charts lie in a folder beside the document, with its name. */
const DOCUMENT = "docs/performance.md";

const { positionals } = parseArgs({ allowPositionals: true });
const [file] = positionals;
if (file === undefined) {
  console.error("which results? npm run bench -- --json FILE, then npm run bench -- chart FILE");
  process.exit(2);
}
const result = JSON.parse(readFileSync(file, "utf8")) as Result;
const folder = DOCUMENT.replace(/\.md$/, "");
mkdirSync(folder, { recursive: true });
for (const [name, svg] of chartsOf(result)) writeFileSync(join(folder, name), svg);
let document = readFileSync(DOCUMENT, "utf8");
for (const [mark, text] of tablesOf(result)) document = filled(document, mark, text);
writeFileSync(DOCUMENT, document);
