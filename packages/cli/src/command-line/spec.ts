/** An option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help. An option without it is a flag. */
  readonly value?: string;
  /** Its letter. */
  readonly short?: string;
  readonly text: string;
  /** The values that it takes, if they are few. */
  readonly choices?: readonly string[];
  /** Not shown in the synopsis: options that many commands have. */
  readonly common?: true;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The words behind the name of a command, read by its {@link CommandSpec}. */
export interface Given {
  readonly command: string;
  /** The words that are no options. */
  readonly operands: readonly string[];
  /** The words behind `--`. */
  readonly behind: readonly string[];
  /** The values of each option that was given, in order. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly flags: ReadonlySet<string>;
}

/** The module of a command. Resolves to the exit code. `groups`: all commands, for what tells of them. */
export interface CommandModule {
  execute(given: Given, groups: CommandGroups): Promise<number>;
}

/** The commands, in groups with a title. */
export type CommandGroups = readonly (readonly [title: string, commands: readonly CommandSpec[]])[];

/**
 * A command: from its entry come the parsing of its words, its help, the completion of the shell, and the
 * tables of the documentation.
 */
export interface CommandSpec {
  readonly name: string;
  /** What follows the name in the synopsis, such as `NAME`; in brackets what may be left out. */
  readonly operands: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What more its help says. */
  readonly about?: string;
  /** Lines to type, for the documents. */
  readonly examples?: readonly string[];
  /** Its exit codes, beside 0, 1, 2 and those of a store. */
  readonly codes?: readonly (number | "another")[];
  /** Its module. To load it takes time, which a command that is not asked for must not cost. */
  readonly load: () => Promise<CommandModule>;
  readonly options: OptionSpecs;
  /** For scripts of ojm alone: no help shows it, and it tells of no error, which would disturb a prompt. */
  readonly hidden?: true;
}
