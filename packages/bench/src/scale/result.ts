import type { Machine } from "../report/result.js";
import type { NamesRow } from "./names.js";
import type { SessionsRow } from "./sessions.js";
import type { WaitersRow } from "./waiters.js";

/** All results of a call of `bench -- scale`, in the form that `--json` writes. */
export interface ScaleResult {
  readonly kind: "scale";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly machine: Machine;
  readonly names: readonly NamesRow[];
  readonly sessions: readonly SessionsRow[];
  readonly waiters: readonly WaitersRow[];
}
