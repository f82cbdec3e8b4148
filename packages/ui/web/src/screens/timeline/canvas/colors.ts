import type { Status } from "../../../api/types.js";

const STATUS: Readonly<Record<Status, string>> = {
  completed: "--b-completed",
  running: "--b-running",
  failed: "--b-failed",
  timeout: "--b-timeout",
  lost: "--b-lost",
  cancelled: "--b-quiet",
  skipped: "--b-quiet",
};

const NAMES = {
  ...{ bg: "--bg", line: "--line", edge: "--edge", text: "--text", dim: "--dim", side: "--side", hover: "--hover" },
  ...{ accent: "--solid", warn: "--b-warn", warnText: "--s-warn", bad: "--b-failed", quiet: "--b-quiet" },
} as const;

/** The colours of the canvas, in the current theme. */
export interface Colors extends Readonly<Record<keyof typeof NAMES, string>> {
  readonly status: Readonly<Record<Status, string>>;
}

/**
 * Reads the colours. A variable contains both themes; an element that uses it has the actual colour.
 *
 * @param scheme `light` for paper. Default: that of the page.
 */
export function colorsOf(element: HTMLElement, scheme: "light" | "inherit" = "inherit"): Colors {
  const probe = document.createElement("i");
  // Forced colours would make all of them one. The canvas uses the system colours where the variables name
  // them.
  probe.style.cssText = `forced-color-adjust: none; color-scheme: ${scheme}`;
  element.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const all = <K extends string>(names: Readonly<Record<K, string>>): Record<K, string> =>
    Object.fromEntries(Object.entries<string>(names).map(([key, name]) => [key, read(name)])) as Record<K, string>;
  const colors = { ...all(NAMES), status: all(STATUS) };
  probe.remove();
  return colors;
}
