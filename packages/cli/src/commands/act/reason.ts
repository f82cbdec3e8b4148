import { constants, hostname, userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { present } from "@ojm/core/internal";
import { lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError, EXIT } from "../../errors.js";

/**
 * The reason of an action that affects others: from the command line, or from the user at the terminal. Call
 * it once the action is known to be possible: a question about a misspelt name wastes an answer. `what`: the
 * action, for the question. `check`: rejects an impossible action; not called if the reason is given, because
 * the action itself then rejects it.
 */
export async function reasonOf(given: Given, what: string, check?: () => Promise<void>): Promise<string> {
  const written = lastValue(given, "reason");
  if (written !== undefined && written.trim() !== "") return written;
  await check?.();
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandError(`ojm ${given.command} needs --reason: those whom it affects will read it`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = (await lines.question(`Why ${what}? `)).trim();
    if (answer === "") throw new CommandError(`ojm ${given.command} needs a reason: nothing was done`);
    return answer;
  } catch (error) {
    if ((error as { readonly name?: unknown }).name !== "AbortError") throw error;
    throw new CommandError(
      `ojm ${given.command} was not given a reason: nothing was done`,
      EXIT.signal + constants.signals.SIGINT,
    );
  } finally {
    lines.close();
  }
}

/** The author of an action, and its reason if the user gave one. */
export function whyOf(given: Given): { readonly author: string; readonly reason?: string } {
  return { author: author(), ...present({ reason: lastValue(given, "reason") }) };
}

/** The user at the keyboard, for the audit: the user name and the host. */
export function author(): string {
  return `${user()}@${hostname()}`;
}

function user(): string {
  // With sudo, the person is not the user of the process.
  const { SUDO_USER: person } = process.env;
  if (person) return person;
  try {
    return userInfo().username;
  } catch {
    // In a container, the user may have no name.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
