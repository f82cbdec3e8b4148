/** Counts the outcomes of an import for the parts of one kind. */
export class ImportCounter {
  imported = 0;
  present = 0;
  readonly leftOut: Record<string, number> = {};

  leaveOut(reason: string, count = 1): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + count;
  }
}
