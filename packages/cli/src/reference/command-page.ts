import type { CommandSpec } from "../command-line/spec.js";
import { type Block, blocksOf, codesOf, optionsOf, optionTerm, sentence, synopsis } from "./facts.js";

/** What the documents say of a command, whatever they are written in. */
export interface CommandPage {
  readonly title: string;
  readonly synopsis: string;
  readonly summary: string;
  readonly blocks: readonly Block[];
  /** The options that it alone has, and what each means. */
  readonly options: readonly (readonly [term: string, text: string])[];
  /** The options that many commands have, as they are written. */
  readonly common: readonly string[];
  readonly codes: string;
  readonly examples: readonly string[];
}

/** What the documents say of a command. */
export function pageOf(spec: CommandSpec): CommandPage {
  const { own, common } = optionsOf(spec);
  return {
    title: `ojm ${spec.name}`,
    synopsis: synopsis(spec),
    summary: sentence(spec.summary),
    blocks: blocksOf(spec.about ?? "").filter(({ isCode, text }) => isCode || text !== ""),
    options: own.map(([name, option]) => [optionTerm(name, option), sentence(option.text)]),
    common: common.map(([name]) => `--${name}`),
    codes: `Exit codes: ${codesOf(spec).join(", ")}.`,
    examples: spec.examples ?? [],
  };
}
