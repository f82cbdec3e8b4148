import { jobFileSchema } from "@ojm/ojob";
import { lastValue, optionalOperand } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { CommandError } from "../errors.js";
import { print } from "../output/print.js";

/** Prints the JSON Schema of job files, or the SQL that creates the tables of a store. */
export async function execute(given: Given): Promise<number> {
  const store = optionalOperand(given);
  const [schema, role] = [lastValue(given, "schema"), lastValue(given, "role")];
  if (store !== undefined) {
    print(await sqlOf(store, { ...(schema !== undefined && { schema }), ...(role !== undefined && { role }) }));
    return 0;
  }
  if (schema !== undefined || role !== undefined)
    throw new CommandError("--schema and --role are for the SQL of a store: ojm schema postgres");
  print(`${JSON.stringify(await jobFileSchema(), undefined, 1)}\n`);
  return 0;
}

async function sqlOf(store: string, options: { readonly schema?: string; readonly role?: string }): Promise<string> {
  const { findType } = await import("@ojm/core/internal");
  const type = await findType(store);
  if (type.schemaSql !== undefined) return type.schemaSql(options);
  throw new CommandError(`a store of type "${store}" has no tables that an administrator creates. postgres has`);
}
