import { jobFileSchema } from "@ojm/ojob";
import { expectNoMore } from "../command.js";

/** Prints the JSON Schema of job files. */
export async function execute(words: readonly string[]): Promise<number> {
  expectNoMore("schema", words);
  process.stdout.write(`${JSON.stringify(await jobFileSchema(), undefined, 2)}\n`);
  return 0;
}
