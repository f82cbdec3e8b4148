import { isPattern, LINES, matchesName, ojmCommand, Semaphore, shellWord, visible } from "@ojm/core/internal";
import { firstOperand } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { EXIT, nameOf, notFound } from "../errors.js";
import { done, jsonText, print, printError, wantsJson } from "../output/print.js";
import { explained } from "./explain.js";

/** How many names are changed at once. */
const AT_ONCE = 16;

/** What a command was given: one name, or names that it changes one by one. */
export interface Names {
  readonly names: readonly string[];
  /** Whether one name was written out: then the command answers for it alone. */
  readonly isOne: boolean;
  /** The names in words, for the question about the reason. */
  readonly text: string;
}

/**
 * The names that the operands of a command mean. An operand with a `*` is a pattern: it means those of
 * `known` that match it. Another operand means itself, even if the store does not have it.
 *
 * @throws CommandError if no name is known for a pattern
 */
export async function namesOf(given: Given, what: string, known: () => Promise<Iterable<string>>): Promise<Names> {
  const { command, operands } = given;
  const first = firstOperand(given, what);
  if (operands.length === 1 && !isPattern(first)) return { names: [first], isOne: true, text: first };
  const all = operands.some(isPattern) ? [...new Set(await known())].sort() : [];
  const meant = operands.map((word): readonly string[] => {
    if (!isPattern(word) || all.includes(word)) return [word];
    const names = all.filter((name) => matchesName(word, name));
    if (names.length > 0) return names;
    throw notFound(`no name that ojm ${command} could act on matches "${word}": nothing was done`);
  });
  const names = [...new Set(meant.flat())];
  return { names, isOne: false, text: names.length === 1 ? (names[0] ?? "") : `${names.length} names` };
}

/** A command for people to copy that acts on the same operands. `options` are shell words already. */
export function sameNames(command: string, { operands }: Given, ...options: readonly string[]): string {
  const [first = "", ...others] = operands;
  return ojmCommand(command, first, ...others.map(shellWord), ...options);
}

/** What was done to one name: the line that says it, the value for programs, and an exit code if not 0. */
export interface Done {
  readonly text: string;
  readonly item: object;
  readonly code?: number;
}

/**
 * Changes each name, several at once, and prints a line or a JSON value for each, in order. A name that
 * cannot be changed does not keep the others from it: its error is printed, and the exit code is that of the
 * first one. An error of the store ends the command. `hint`: with several names, the last line, unless none
 * of them could be changed.
 */
export async function changeEach(
  given: Given,
  { names, isOne }: Names,
  change: (name: string) => Promise<Done>,
  hint?: string,
): Promise<number | undefined> {
  const [only = ""] = names;
  if (isOne) {
    const { text, item, code } = await change(only);
    done(given, text, item);
    return code;
  }
  const slots = new Semaphore(AT_ONCE);
  const changes = names.map((name) => slots.during(() => change(name)));
  // The first error ends the command below; those of the others must not end the process.
  for (const one of changes) one.catch(() => {});
  const isList = given.flags.has("json") && !given.flags.has("jsonl");
  const items: object[] = [];
  const failed: number[] = [];
  const show = (item: object, text: () => void): void => {
    if (isList) items.push(item);
    else if (wantsJson(given)) print(`${jsonText(item)}\n`);
    else text();
  };
  try {
    for (const [i, one] of changes.entries()) {
      try {
        const { text, item, code } = await one;
        show(item, () => done(given, text, item));
        if (code !== undefined && code !== EXIT.ok) failed.push(code);
      } catch (error) {
        const known = isOfName(error) ? explained(error) : undefined;
        if (known === undefined) throw error;
        const { code, message } = known;
        failed.push(code);
        const name = names[i];
        show({ name, error: { code: nameOf(code), exit: code, message } }, () =>
          printError(`ojm: ${name}: ${message}`),
        );
      }
    }
  } finally {
    if (isList) print(`${jsonText(items, 1)}\n`);
  }
  const dry = given.flags.has("dry-run") ? ". Nothing was done: --dry-run" : "";
  const failures = failed.length === 0 ? "" : `, ${failed.length} of them with an error`;
  if (!wantsJson(given)) print(`${names.length === 1 ? "1 name" : `${names.length} names`}${failures}${dry}\n`);
  if (hint !== undefined && failed.length < names.length && !wantsJson(given)) print(`${visible(hint, LINES)}\n`);
  return failed[0];
}

/** Whether an error concerns one name alone: the store itself answers. */
function isOfName(error: unknown): boolean {
  return error instanceof Error && error.name !== "ChannelError";
}
