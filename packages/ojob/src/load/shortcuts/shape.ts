import type { Fields, Shape } from "../shape.js";

/** What stands behind a shortcut and its options. */
export interface ShortcutShape {
  readonly doc: string;
  /** What stands behind the shortcut itself. */
  readonly value: Shape;
  readonly options: Fields;
  /** Options of OpenAF that are refused, and what to write instead. */
  readonly refused?: Readonly<Record<string, string>>;
}
