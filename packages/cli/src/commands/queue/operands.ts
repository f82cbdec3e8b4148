import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { printError } from "../../output/print.js";

/** The queue, the first operand of a command that takes further ones. */
export function queueOperand({ command, operands: [queue] }: Given): string {
  if (queue !== undefined) return queue;
  throw new CommandError(`ojm ${command} needs the name of a queue. See: ojm help ${command}`);
}

/** The queue, and the ids of items after it. */
export function itemOperands(given: Given): { readonly queue: string; readonly ids: readonly string[] } {
  const queue = queueOperand(given);
  const ids = [...new Set(given.operands.slice(1))];
  if (ids.length > 0) return { queue, ids };
  throw new CommandError(`ojm ${given.command} needs the ids of items after the name of the queue`);
}

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
