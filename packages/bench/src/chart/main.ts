import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { QueueResult } from "../queue/lines.js";
import type { Result } from "../report/result.js";
import type { ScaleResult } from "../scale/result.js";
import { chartsOf } from "./charts.js";
import { filled } from "./document.js";
import { queueTablesOf } from "./queue.js";
import { curvesOf, scaleTablesOf } from "./scale.js";
import { tablesOf } from "./tables.js";

/** The charts lie in a folder beside the document, with its name. */
const DOCUMENT = "docs/proof/benchmarks.md";

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length === 0) {
  console.error(
    "which results? npm run bench -- --json RUNS, npm run bench -- scale --json SCALE, npm run bench -- queue --json QUEUE, then npm run bench -- chart RUNS SCALE QUEUE",
  );
  process.exit(2);
}
type Any = Result | ScaleResult | QueueResult;
const results = positionals.map((file) => JSON.parse(readFileSync(file, "utf8")) as Any);
const runs = results.find((result): result is Result => !("kind" in result));

function chartsAndTables(result: Any): [charts: Map<string, string>, tables: Map<string, string>] {
  if (!("kind" in result)) return [chartsOf(result), tablesOf(result)];
  if (result.kind === "scale") return [curvesOf(result), scaleTablesOf(result, runs)];
  return [new Map(), queueTablesOf(result)];
}

const folder = DOCUMENT.replace(/\.md$/, "");
mkdirSync(folder, { recursive: true });
let document = readFileSync(DOCUMENT, "utf8");
for (const result of results) {
  const [charts, tables] = chartsAndTables(result);
  for (const [name, svg] of charts) writeFileSync(join(folder, name), svg);
  for (const [mark, text] of tables) document = filled(document, mark, text);
}
writeFileSync(DOCUMENT, document);
