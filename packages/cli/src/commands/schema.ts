import { jobFileSchema } from "@ojm/ojob";
import { expectNoMore } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { print } from "../output/print.js";

/** Prints the JSON Schema of job files. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  print(`${JSON.stringify(await jobFileSchema(), undefined, 1)}\n`);
  return 0;
}
