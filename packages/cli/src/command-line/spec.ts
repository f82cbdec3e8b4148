/** An option of a command. */
export interface OptionSpec {
  /** The placeholder of its value in the help. An option without one is a flag. */
  readonly value?: string;
  readonly short?: string;
  readonly text: string;
  /** The values that it takes, if only a few are valid. */
  readonly choices?: readonly string[];
  /** An option of many commands: not shown in the synopsis. */
  readonly common?: true;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The words after the name of a command, read by its {@link CommandSpec}. */
export interface Given {
  readonly command: string;
  /** The words that are not options. */
  readonly operands: readonly string[];
  /** The words after `--`. */
  readonly behind: readonly string[];
  /** The values of each option that was given, in order. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly flags: ReadonlySet<string>;
}

/** The commands, in groups with a title. */
export type CommandGroups = readonly (readonly [title: string, commands: readonly CommandSpec[]])[];

/** A command: the source for the parser, the help, the completion and the documentation. */
export interface CommandSpec {
  /** One word; two for one of the commands of a subject, such as `queue add`. */
  readonly name: string;
  /** What follows the name in the synopsis, such as `NAME`; optional parts in brackets. */
  readonly operands: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** More text for its help. */
  readonly about?: string;
  /** Example lines, for the documentation. */
  readonly examples?: readonly string[];
  /** Its exit codes, besides 0, 1, 2 and those of a store. */
  readonly codes?: readonly (number | "another")[];
  /** Loads its module: only the command that is called pays for it. `groups`: all commands. */
  readonly load: () => Promise<{ execute(given: Given, groups: CommandGroups): Promise<number> }>;
  readonly options: OptionSpecs;
  /** For scripts of ojm alone: not in the help, and prints no errors, which would disturb a prompt. */
  readonly hidden?: true;
}
