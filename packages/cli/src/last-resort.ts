import { inspect } from "node:util";

const ADVICE = "This is a fault of ojm or of a backend: set OJM_DEBUG=1 to see where it happened.";

/** Prints an unexpected error in one line, with its stack only if OJM_DEBUG is set, and exits with 1. */
export async function lastResort(error: unknown): Promise<void> {
  const stack = process.env["OJM_DEBUG"] ? `\n${inspect(error)}` : "";
  // Exits explicitly: a faulty backend may have left something open that keeps the process alive.
  const exit = (): void => process.exit(1);
  try {
    // Loaded only now: each import slows down every start.
    const [{ oneLine }, { printError }] = await Promise.all([import("./output/table.js"), import("./output/print.js")]);
    printError(`ojm: ${oneLine(messageOf(error))}\n${ADVICE}${stack}`, exit);
  } catch {
    // If packages of ojm are missing, an error here would call this function again, without end.
    process.stderr.write(`ojm: ${messageOf(error)}\n${ADVICE}${stack}\n`, exit);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
