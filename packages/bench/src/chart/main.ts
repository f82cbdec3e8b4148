import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Result } from "../report/result.js";
import type { ScaleResult } from "../scale/result.js";
import { chartsOf } from "./charts.js";
import { filled } from "./document.js";
import { curvesOf, scaleTablesOf } from "./scale.js";
import { tablesOf } from "./tables.js";

/** The charts lie in a folder beside the document, with its name. */
const DOCUMENT = "docs/proof/benchmarks.md";

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length === 0) {
  console.error(
    "which results? npm run bench -- --json RUNS, npm run bench -- scale --json SCALE, then npm run bench -- chart RUNS SCALE",
  );
  process.exit(2);
}
const results = positionals.map((file) => JSON.parse(readFileSync(file, "utf8")) as Result | ScaleResult);
const isScale = (result: Result | ScaleResult): result is ScaleResult => "kind" in result;
const runs = results.find((result): result is Result => !isScale(result));

const folder = DOCUMENT.replace(/\.md$/, "");
mkdirSync(folder, { recursive: true });
let document = readFileSync(DOCUMENT, "utf8");
for (const result of results) {
  for (const [name, svg] of isScale(result) ? curvesOf(result) : chartsOf(result))
    writeFileSync(join(folder, name), svg);
  for (const [mark, text] of isScale(result) ? scaleTablesOf(result, runs) : tablesOf(result))
    document = filled(document, mark, text);
}
writeFileSync(DOCUMENT, document);
