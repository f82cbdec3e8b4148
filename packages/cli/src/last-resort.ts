import { inspect } from "node:util";

/** Tells of an error that nobody foresaw in one line, its stack only where the environment has OJM_DEBUG, and ends the process with 1. */
export async function lastResort(error: unknown): Promise<void> {
  // Loaded only now: each import is felt at every start.
  const { oneLine } = await import("./table.js");
  const message = oneLine(messageOf(error), Number.POSITIVE_INFINITY);
  const told = `ojm: ${message}\nThis is a fault of ojm or of a backend: set OJM_DEBUG=1 to see where it happened.\n`;
  const stack = process.env["OJM_DEBUG"] ? `${inspect(error)}\n` : "";
  // Not by letting the program run out: a backend that is at fault may have left open what keeps it alive for ever.
  process.stderr.write(told + stack, () => process.exit(1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
