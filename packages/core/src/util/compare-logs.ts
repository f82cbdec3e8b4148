/** What differs between equal texts: numbers, times, and ids in hex. Another exit code is a difference. */
const VARYING =
  /(?<!\bcode )(?:\d+(?:[.:,]\d+)+|(?<![\da-z])(?:0x)?(?=[a-f-]*\d)[\da-f]+(?:-[\da-f]+)*(?![\da-z])|(?<![\da-f])\d+)/gi;

/** A text with `#` for its numbers, times and ids: equal for errors and lines that say the same. */
export const withoutVarying = (text: string): string => text.replace(VARYING, "#");

/** The colours of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one.
const COLORS = /\u001b\[[\d;]*[A-Za-z]/g;

/** The most lines of a log that are compared. */
export const MOST_COMPARED = 20_000;

/** A line of a log. */
export interface ComparedLine {
  readonly text: string;
  /** When it was written, in ms since 1970. */
  readonly at: number;
}

/** A part of two logs: equal lines, or lines that only one has. Ranges of indexes, without their ends. */
export interface LogBlock {
  readonly isSame: boolean;
  readonly a: readonly [from: number, to: number];
  readonly b: readonly [from: number, to: number];
}

type Add = (a: number, b: number) => void;

/**
 * Aligns two logs, by lines that are equal without their numbers, times and ids. First by lines that each log
 * has once, then by the fewest changes in between: logs of any length are aligned quickly.
 */
export function alignLogs(a: readonly ComparedLine[], b: readonly ComparedLine[]): LogBlock[] {
  const ids = new Map<string, number>();
  const idOf = ({ text }: ComparedLine): number => {
    const key = withoutVarying(text.replace(COLORS, "")).trimEnd();
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    return id;
  };
  const blocks: LogBlock[] = [];
  let [endA, endB] = [0, 0];
  const differ = (toA: number, toB: number): void => {
    if (toA > endA || toB > endB) blocks.push({ isSame: false, a: [endA, toA], b: [endB, toB] });
    [endA, endB] = [toA, toB];
  };
  const add: Add = (i, j) => {
    differ(i, j);
    const last = blocks.at(-1);
    const [fromA, fromB] = last?.isSame === true ? [last.a[0], last.b[0]] : [i, j];
    if (last?.isSame === true) blocks.pop();
    blocks.push({ isSame: true, a: [fromA, i + 1], b: [fromB, j + 1] });
    [endA, endB] = [i + 1, j + 1];
  };
  match({ x: a.map(idOf), y: b.map(idOf) }, [0, a.length, 0, b.length], add, 0);
  differ(a.length, b.length);
  return blocks;
}

interface Logs {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

type Range = readonly [x: number, endX: number, y: number, endY: number];

/** The deepest search for lines that both parts have once. */
const DEEPEST = 100;

function match({ x, y }: Logs, [fromX, toX, fromY, toY]: Range, add: Add, depth: number): void {
  let [i, endX, j, endY] = [fromX, toX, fromY, toY];
  while (i < endX && j < endY && x[i] === y[j]) add(i++, j++);
  while (i < endX && j < endY && x[endX - 1] === y[endY - 1]) {
    endX--;
    endY--;
  }
  if (i < endX && j < endY) {
    const range = [i, endX, j, endY] as const;
    const anchors = depth < DEEPEST ? anchorsIn({ x, y }, range) : [];
    for (const [atX, atY] of anchors) {
      match({ x, y }, [i, atX, j, atY], add, depth + 1);
      add(atX, atY);
      [i, j] = [atX + 1, atY + 1];
    }
    if (anchors.length === 0) shortest({ x, y }, range, add);
    else match({ x, y }, [i, endX, j, endY], add, depth + 1);
  }
  for (; endX < toX; endX++, endY++) add(endX, endY);
}

/** The lines that each part has once, as many of them as are in the same order in both. */
function anchorsIn({ x, y }: Logs, [fromX, toX, fromY, toY]: Range): (readonly [number, number])[] {
  const [inX, inY] = [once(x, fromX, toX), once(y, fromY, toY)];
  const pairs = [...inX].flatMap(([id, at]) => {
    const other = inY.get(id);
    return at < 0 || other === undefined || other < 0 ? [] : [[at, other] as const];
  });
  // The longest series that rises in both: `ends` has, for each length, the pair with the smallest end.
  const ends: number[] = [];
  const before = pairs.map(([, at], n) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[ends[middle] ?? 0]?.[1] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    ends[low] = n;
    return ends[low - 1];
  });
  const found: (readonly [number, number])[] = [];
  for (let n = ends.at(-1); n !== undefined; n = before[n]) found.push(pairs[n] ?? [0, 0]);
  return found.reverse();
}

/** Where each line of a part is, in the order of the part; -1 if it is there several times. */
function once(ids: readonly number[], from: number, to: number): Map<number, number> {
  const places = new Map<number, number>();
  for (let i = from; i < to; i++) {
    const id = ids[i] ?? 0;
    places.set(id, places.has(id) ? -1 : i);
  }
  return places;
}

/** The most changes that are searched for. Two parts that differ by more have nothing in common. */
const MOST_CHANGES = 500;

/** The fewest changes between two parts, by Myers (An O(ND) Difference Algorithm, 1986). */
function shortest({ x, y }: Logs, [fromX, toX, fromY, toY]: Range, add: Add): void {
  const [n, m] = [toX - fromX, toY - fromY];
  const most = Math.min(n + m, MOST_CHANGES);
  const reach = new Int32Array(2 * most + 3);
  const at = (row: Int32Array, k: number): number => row[k + most + 1] ?? 0;
  const isDown = (row: Int32Array, d: number, k: number): boolean =>
    k === -d || (k !== d && at(row, k - 1) < at(row, k + 1));
  const trace: Int32Array[] = [];
  let isFound = false;
  for (let d = 0; d <= most && !isFound; d++) {
    trace.push(reach.slice());
    for (let k = -d; k <= d && !isFound; k += 2) {
      let i = isDown(reach, d, k) ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (i < n && i - k < m && x[fromX + i] === y[fromY + i - k]) i++;
      reach[k + most + 1] = i;
      isFound = k === n - m && i >= n;
    }
  }
  if (!isFound) return;
  const pairs: [number, number][] = [];
  let [i, j] = [n, m];
  for (let d = trace.length - 1; d >= 0; d--) {
    const row = trace[d] ?? reach;
    const k = i - j;
    const last = isDown(row, d, k) ? k + 1 : k - 1;
    const [fromI, fromJ] = [at(row, last), at(row, last) - last];
    for (; i > fromI && j > fromJ; i--, j--) pairs.push([fromX + i - 1, fromY + j - 1]);
    [i, j] = [fromI, fromJ];
  }
  for (const [one, other] of pairs.reverse()) add(one, other);
}

/** A step between two lines that both logs have, or before the first or after the last one. */
export interface LogStep {
  /** The text of the line that ends it, in the first log; absent for the end of the run. */
  readonly text?: string;
  /** The ms that it took in each. */
  readonly a: number;
  readonly b: number;
}

/** When a run began, and when it ended. */
export interface RunTime {
  readonly startTime: number;
  readonly endTime?: number | undefined;
}

/** The share of the longer run from which on a difference is shown. */
const WORTH = 0.02;

/** The steps whose durations differ most, at most `most`, in their order. */
export function differingSteps(
  blocks: readonly LogBlock[],
  a: RunTime & { readonly lines: readonly ComparedLine[] },
  b: RunTime & { readonly lines: readonly ComparedLine[] },
  most: number,
): LogStep[] {
  let [lastA, lastB] = [a.startTime, b.startTime];
  const steps: LogStep[] = [];
  const step = (atA: number | undefined, atB: number | undefined, text?: string): void => {
    if (atA === undefined || atB === undefined) return;
    steps.push({ ...(text !== undefined && { text }), a: Math.max(0, atA - lastA), b: Math.max(0, atB - lastB) });
    [lastA, lastB] = [atA, atB];
  };
  for (const { isSame, a: range, b: other } of blocks) {
    if (!isSame) continue;
    for (let i = range[0], j = other[0]; i < range[1]; i++, j++) step(a.lines[i]?.at, b.lines[j]?.at, a.lines[i]?.text);
  }
  step(a.endTime, b.endTime);
  const longest = Math.max(...(["a", "b"] as const).map((one) => steps.reduce((sum, each) => sum + each[one], 0)));
  const differing = steps
    .map((one, order) => ({ one, order, by: Math.abs(one.a - one.b) }))
    .filter(({ by }) => by > 0 && by >= longest * WORTH)
    .sort((one, other) => other.by - one.by || one.order - other.order);
  return differing
    .slice(0, most)
    .sort((one, other) => one.order - other.order)
    .map(({ one }) => one);
}
