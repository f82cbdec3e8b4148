import type { Target } from "./ui.js";

/** A line of the list, with its colors; a row that can be selected has a target. */
export interface Line {
  readonly painted: string;
  readonly target?: Target;
}

/** The order in which sections get one more row each, until the page is full. */
const TURNS = [0, 1, 0, 1, 2, 3];

/** The least lines of a section that is cut: a row, the number of rows before it, and the number after it. */
const LEAST = 3;

const EMPTY: Line = { painted: "" };

/** The sections one below the other. An empty section takes no line. */
export function joined(sections: readonly (readonly Line[])[]): Line[] {
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : [EMPTY, ...lines]));
}

/**
 * The sections in at most `page` lines: many problems must not hide what is running and what comes next. A
 * section that is cut shows its first rows, or those around the selected one. On a screen that is too low for
 * that, it returns all lines, which scroll.
 */
export function shared(sections: readonly (readonly Line[])[], page: number, selected: string | undefined): Line[] {
  const all = joined(sections);
  if (all.length <= page) return all;
  const rows = sections.map((lines) => Math.max(0, lines.length - 1));
  const granted = rows.map((count) => Math.min(count, LEAST));
  const headings = rows.filter((count) => count > 0).length;
  let left = page - (2 * headings - 1) - granted.reduce((sum, count) => sum + count, 0);
  if (left < 0) return all;
  while (left > 0 && granted.some((count, i) => count < (rows[i] ?? 0))) {
    for (const i of TURNS) {
      if (left === 0 || (granted[i] ?? 0) >= (rows[i] ?? 0)) continue;
      granted[i] = (granted[i] ?? 0) + 1;
      left--;
    }
  }
  return joined(sections.map((lines, i) => window(lines, granted[i] ?? 0, selected)));
}

/** A section with its heading and at most `most` lines below it. */
function window([heading, ...rows]: readonly Line[], most: number, selected: string | undefined): Line[] {
  if (heading === undefined || rows.length <= most) return heading === undefined ? [] : [heading, ...rows];
  const at = Math.max(
    0,
    rows.findIndex(({ target }) => target?.id === selected),
  );
  if (at < most - 1) return [heading, ...rows.slice(0, most - 1), hiddenRows(rows.length - most + 1, "more")];
  const last = rows.length - most + 1;
  if (at >= last) return [heading, hiddenRows(last, "before"), ...rows.slice(last)];
  const first = Math.min(at - Math.floor((most - 2) / 2), last - 1);
  const end = first + most - 2;
  return [heading, hiddenRows(first, "before"), ...rows.slice(first, end), hiddenRows(rows.length - end, "more")];
}

function hiddenRows(count: number, where: "before" | "more"): Line {
  return { painted: `  … and ${count} ${where}` };
}
