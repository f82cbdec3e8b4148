import type { Question } from "./questions.js";

/** The orders of the parent. The child answers each order with one message. */
export type Order =
  | { readonly fold: { readonly from: number; readonly to: number } }
  | { readonly ask: Question; readonly times: number };

/** The cost of asking a question several times. */
export interface Answered {
  readonly ms: readonly number[];
  /** The most bytes of an answer. */
  readonly bytes: number;
  /** The calls to the store, and the entries read or written, of one question: rounded, a mean. */
  readonly calls: number;
  readonly entries: number;
}

/** The first fold of the records of a store. */
export interface Folded {
  /** When the first question was answered, and when all was folded, in ms. */
  readonly first: number;
  readonly whole: number;
  readonly calls: number;
  readonly entries: number;
  /** The processor time of the child, in ms. */
  readonly cpu: number;
}
