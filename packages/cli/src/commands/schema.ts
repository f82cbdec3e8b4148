import { jobFileSchema } from "@ojm/ojob";
import { expectNoMore } from "../command.js";
import { print } from "../print.js";

/** Prints the JSON Schema of job files. */
export async function execute(words: readonly string[]): Promise<number> {
  expectNoMore("schema", words);
  print(`${JSON.stringify(await jobFileSchema(), undefined, 1)}\n`);
  return 0;
}
