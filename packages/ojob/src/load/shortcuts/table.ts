import { CONTROL } from "./control.js";
import { DATA } from "./data.js";
import { OUTPUT } from "./output.js";
import type { ShortcutShape } from "./shape.js";

/** The shortcuts that ojm has, by name. */
export const SHORTCUTS: Readonly<Record<string, ShortcutShape>> = { ...CONTROL, ...DATA, ...OUTPUT };

/** The shape of a shortcut. `undefined` if it is none of ours: a job of the file may define it. */
export function shortcutShape(name: string): ShortcutShape | undefined {
  return Object.hasOwn(SHORTCUTS, name) ? SHORTCUTS[name] : undefined;
}
