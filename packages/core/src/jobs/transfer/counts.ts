import type { ImportCount } from "./types.js";

/** Counts what becomes of the parts of one kind. */
export class Counter implements ImportCount {
  imported = 0;
  present = 0;
  readonly leftOut: Record<string, number> = {};

  leaveOut(reason: string): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + 1;
  }
}
