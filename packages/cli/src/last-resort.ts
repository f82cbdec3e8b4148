import { inspect } from "node:util";

const ADVICE = "This is a fault of ojm or of a backend: set OJM_DEBUG=1 to see where it happened.";

/**
 * Tells of an error that nobody foresaw in one line, its stack only where the environment has OJM_DEBUG, and
 * ends the process with 1.
 */
export async function lastResort(error: unknown): Promise<void> {
  const stack = process.env["OJM_DEBUG"] ? `\n${inspect(error)}` : "";
  // Not by letting the program run out: a backend that is at fault may have left open what keeps it alive for
  // ever.
  const exit = (): void => process.exit(1);
  try {
    // Loaded only now: each import is felt at every start.
    const [{ oneLine }, { tell }] = await Promise.all([import("./output/table.js"), import("./output/print.js")]);
    tell(`ojm: ${oneLine(messageOf(error))}\n${ADVICE}${stack}`, exit);
  } catch {
    // Where packages of ojm are missing, an error of this function would come here again, for ever.
    process.stderr.write(`ojm: ${messageOf(error)}\n${ADVICE}${stack}\n`, exit);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
