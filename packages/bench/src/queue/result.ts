import type { Machine } from "../report/result.js";
import type { ItemsResult } from "./items.js";
import type { WorkersRow } from "./workers.js";

/** All results of a call of `bench -- queue`, in the form that `--json` writes. */
export interface QueueResult {
  readonly kind: "queue";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly versions: readonly string[];
  readonly items: readonly ItemsResult[];
  readonly waiting: readonly WaitingResult[];
  readonly workers: readonly WorkersRow[];
}

/** What the items of one contestant cost beside few and many that wait. */
export interface WaitingResult {
  readonly contestant: string;
  readonly result: ItemsResult;
}
