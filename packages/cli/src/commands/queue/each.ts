import { printError } from "../../output/print.js";

/**
 * Changes items one after the other, even if some cannot be changed. Prints what was done by `print`. Then
 * rejects with the last of the errors, and prints those before.
 */
export async function forEach(
  ids: readonly string[],
  change: (id: string) => Promise<unknown>,
  print: (changed: readonly string[]) => void,
): Promise<undefined> {
  const changed: string[] = [];
  const errors: Error[] = [];
  for (const id of ids) {
    try {
      await change(id);
      changed.push(id);
    } catch (error) {
      if (!isOfItem(error)) {
        if (changed.length > 0) print(changed);
        throw error;
      }
      errors.push(error);
    }
  }
  if (changed.length > 0) print(changed);
  const last = errors.pop();
  for (const { message } of errors) printError(`ojm: ${message}`);
  if (last !== undefined) throw last;
}

/** Whether an error concerns one item alone: the store itself answers. */
function isOfItem(error: unknown): error is Error {
  return error instanceof Error && error.name === "QueueError";
}
