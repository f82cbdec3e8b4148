/** The outcome of an import for the parts of one kind. */
export interface ImportCount {
  /** The number of written parts. */
  readonly imported: number;
  /** The number of parts that the store had already. */
  readonly present: number;
  /** The number of parts that were not written, by the reason. */
  readonly leftOut: { readonly [reason: string]: number };
}

/** Counts the parts of one kind during an import. */
export class ImportCounter implements ImportCount {
  imported = 0;
  present = 0;
  readonly leftOut: Record<string, number> = {};

  leaveOut(reason: string, count = 1): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + count;
  }
}
