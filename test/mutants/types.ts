/** A change to a source file that the tests should notice. */
export interface Mutant {
  /** Of the file, from the root of the repository. */
  readonly file: string;
  /** `file:line:column operator`, or the name that the kept list gives it. */
  readonly name: string;
  readonly operator: string;
  /** Where the text that is replaced begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A mutant made by hand: a fault that the tests once let pass, or one that would be worse than most. */
export interface NamedMutant {
  readonly name: string;
  readonly file: string;
  /** What is replaced. It stands in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  /** What goes wrong for a user where the code is like this. */
  readonly why: string;
  /** The tests that must notice it, if others than the usual ones. */
  readonly tests?: readonly string[];
}

/**
 * A mutant that no test can notice, because the program does the same, or nothing that is promised is
 * different.
 */
export interface Equivalent {
  readonly file: string;
  readonly operator: string;
  /** What is replaced, or its first line. */
  readonly text: string;
  /**
   * The line that it begins in, without the blanks around it, where the text alone would mean more than one.
   */
  readonly line?: string;
  readonly why: string;
}

/** What is known of the mutants of some packages beyond what can be made of their sources. */
export interface Kept {
  readonly named: readonly NamedMutant[];
  readonly equivalent: readonly Equivalent[];
  /**
   * Tests that are too slow to be run on each mutant of these packages, such as those that start processes.
   */
  readonly slow: readonly string[];
  /** Tests that are run last: they find much, and take longer than the others. */
  readonly last: readonly string[];
}
