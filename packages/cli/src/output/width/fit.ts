/** What a column of a table needs of the width of a terminal. */
export interface Room {
  /** Its widest text. */
  readonly natural: number;
  /** The least that still says something. */
  readonly least: number;
  /** The column with the lowest rank is always there; that with the highest is left out first. */
  readonly rank: number;
  /** Whether it gets what the others leave, as it is cut anyhow. */
  readonly isModest?: boolean;
}

/** The space between two columns. */
export const GAP = 2;

/** The widths of columns that share a line. 0: the column is left out, and those of a higher rank too. */
export function fit(columns: readonly Room[], total: number): number[] {
  const widths = columns.map(() => 0);
  const byRank = [...columns.entries()].sort(([, a], [, b]) => a.rank - b.rank);
  let left = total + GAP;
  for (const [place, [i, { natural, least }]] of byRank.entries()) {
    const width = Math.min(natural, least, place === 0 ? total : Number.POSITIVE_INFINITY);
    if (width + GAP > left) break;
    widths[i] = width;
    left -= width + GAP;
  }
  const byNeed = byRank.toSorted(([, a], [, b]) => Number(a.isModest ?? false) - Number(b.isModest ?? false));
  for (const [i, { natural }] of byNeed) {
    const width = widths[i] ?? 0;
    const more = width === 0 ? 0 : Math.min(natural - width, left);
    widths[i] = width + more;
    left -= more;
  }
  return widths;
}
