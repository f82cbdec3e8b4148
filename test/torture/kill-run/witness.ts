/** A line that a body wrote, or a replica that has added an item. */
export interface WitnessLine {
  readonly what: "added" | "enter" | "beat" | "done";
  readonly name: string;
  readonly run: string;
  readonly pid: number;
}

export const lineOf = (line: WitnessLine): string => `${JSON.stringify(line)}\n`;

/** The lines of a witness. A process that is killed may have written the last one in part. */
export function linesOf(text: string): WitnessLine[] {
  return text.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as WitnessLine] : []));
}

/**
 * The bodies of a job, or of an item, that overlapped. All bodies append to one file: if they run one after
 * the other, the lines of each are together. It needs neither a clock, nor a record of the kills, nor ojm.
 */
export function overlapsOf(lines: readonly WitnessLine[]): string[] {
  const overlaps: string[] = [];
  const current = new Map<string, string>();
  const over = new Set<string>();
  for (const { name, run, pid, what } of lines) {
    if (what === "added") continue;
    const body = `${run} of ${pid}`;
    const other = current.get(name);
    if (other === body) continue;
    if (other !== undefined) over.add(other);
    if (over.has(body)) overlaps.push(`${what} of ${body}, after ${other} had begun`);
    current.set(name, body);
  }
  return overlaps;
}
