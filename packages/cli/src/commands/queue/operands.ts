import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";

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
