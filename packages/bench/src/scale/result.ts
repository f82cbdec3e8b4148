import type { Machine } from "../report/result.js";
import type { NamesRow } from "./names.js";
import type { SessionsRow } from "./sessions.js";
import type { WaitersRow } from "./waiters.js";

/** All that a call of `bench -- scale` found, as `--json` writes it. */
export interface ScaleResult {
  readonly kind: "scale";
  readonly date: string;
  /** The commit that was measured, where Git can tell it. */
  readonly commit?: string;
  readonly machine: Machine;
  readonly names: readonly NamesRow[];
  readonly sessions: readonly SessionsRow[];
  readonly waiters: readonly WaitersRow[];
}
