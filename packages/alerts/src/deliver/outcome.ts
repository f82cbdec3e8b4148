import type { InMs } from "@ojm/core/internal";
import type { Alert, Receiver } from "../types.js";

/**
 * What a receiver did with an alert.
 *
 * - `taken`: it accepted the alert.
 * - `later`: it takes nothing now. `after`: the pause that it requested, in ms.
 * - `refused`: it takes other alerts, but not this one.
 * - `gone`: it wants no more alerts.
 *
 * `why` is for a warning: it never has an address, a secret, or a text of the receiver.
 */
export type Outcome =
  | { readonly type: "taken" }
  | { readonly type: "later"; readonly why: string; readonly after?: number }
  | { readonly type: "refused" | "gone"; readonly why: string };

/** An attempt to deliver an alert. Never rejects. */
export type Send = (to: InMs<Receiver>, alert: Alert, options: SendOptions) => Promise<Outcome>;

export interface SendOptions {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** The time of the attempt, in ms since 1970. */
  readonly now: number;
  /** The last lines of the log of a run. Never rejects. */
  readonly logTail?: (run: string) => Promise<string>;
}
