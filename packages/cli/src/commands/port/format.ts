import type { ExportedKind, ImportCount } from "@ojm/core/internal";

/** The format name in the first line of an export. */
export const FORMAT = "ojm-export";

/** The version of the format. A later version that this program cannot read has a higher number. */
export const FORMAT_VERSION = 1;

/** The first line of an export. */
export interface Head {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** The version of ojm that wrote it. */
  readonly ojm: string;
  /** The kind of store that it comes from. */
  readonly store: string;
  /** When the export started, in ISO 8601. */
  readonly at: string;
}

/** The kinds of lines. */
export type Kind = ExportedKind | "schedules" | "ticks";

/** The last line of an export: how many lines of each kind it has, and what it left out. */
export interface Tail {
  readonly end: { readonly [K in Kind]: number } & { readonly leftOut: { readonly [reason: string]: number } };
}

/** The counts of an import, by kind. */
export type Counts = { readonly [K in Kind]: ImportCount };

const WORDS: { readonly [K in Kind]: readonly [one: string, more: string] } = {
  runs: ["run", "runs"],
  logs: ["part of a log", "parts of logs"],
  audits: ["audit entry", "audit entries"],
  schedules: ["schedule", "schedules"],
  ticks: ["tick", "ticks"],
};

/** The kinds, in the order of the messages. */
export const KINDS = Object.keys(WORDS) as readonly Kind[];

/** The number of each kind, as text, without zeros. */
export function inWords(countOf: (kind: Kind) => number): string {
  const parts = KINDS.flatMap((kind) => {
    const count = countOf(kind);
    return count === 0 ? [] : [`${count} ${WORDS[kind][count === 1 ? 0 : 1]}`];
  });
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** What was left out, as text: a line for each reason. */
export function leftOutInWords(counts: Counts): string[] {
  return KINDS.flatMap((kind) =>
    Object.entries(counts[kind].leftOut).map(
      ([reason, count]) => `left out ${count} ${WORDS[kind][count === 1 ? 0 : 1]}: ${reason}`,
    ),
  );
}
