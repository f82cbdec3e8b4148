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
  /** The target of an anchor of the kept list: the expression or statement that the operator changes. */
  readonly about: Place;
}

/** A part of a text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}
