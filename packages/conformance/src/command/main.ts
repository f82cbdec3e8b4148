import { writeFileSync } from "node:fs";
import { line, summary, toJson } from "../run/print.js";
import { isGood } from "../run/result.js";
import { run, select } from "../run/run.js";
import { loadHarness } from "./load.js";
import { type Options, parse, USAGE } from "./options.js";

/** Runs the command, without the process around it. Resolves to the exit code. */
export async function main(argv: readonly string[], print: (text: string) => void = console.log): Promise<number> {
  try {
    const options = parse(argv);
    if (options.help) print(USAGE);
    else if (options.list) list(options, print);
    else if (options.module === undefined) throw new Error(`which backend?\n\n${USAGE}`);
    else return await prove(options.module, options, print);
    return 0;
  } catch (error) {
    print(`ojm-conformance: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

function list(options: Options, print: (text: string) => void): void {
  for (const { title, cases } of select(options)) {
    print(`\n${title}`);
    for (const { id, law, needs } of cases) {
      print(`  ${id}  ${law}${needs === undefined ? "" : `  [${needs.join(", ")}]`}`);
    }
  }
}

async function prove(module: string, options: Options, print: (text: string) => void): Promise<number> {
  const { profile, seed, only, json, quiet } = options;
  const harness = await loadHarness(module, options.args);
  const suite = { profile, only, ...(seed === undefined ? {} : { seed }) };
  const report = await run(harness, suite, (result) => {
    if (!quiet || result.outcome !== "pass") print(line(result));
  });
  print(`\n${summary(report)}`);
  if (json !== undefined) writeFileSync(json, toJson(report));
  return isGood(report) ? 0 : 1;
}
