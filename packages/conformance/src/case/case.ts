import type { Capability, Facility, Fault } from "../harness/harness.js";
import type { CaseContext } from "./context.js";
import { type Profile, profiles } from "./profile.js";

/** One law, and how to find out whether a backend keeps it. */
export interface Case {
  /** Stable: it is used in lists of known failures and in reports. */
  readonly id: string;
  /** What holds, in one sentence. */
  readonly law: string;
  /** The smallest profile that runs it. Default: smoke. */
  readonly profile?: Profile;
  /** What the backend must declare and the harness must offer. */
  readonly needs?: readonly (Capability | Facility)[];
  /** Faults that it brings about where the harness offers them, besides those that it needs. */
  readonly uses?: readonly Fault[];
  /**
   * How long it may take, in ms, before it counts as failed; in a soak ten times as long. Default: 60,000.
   */
  readonly cap?: number;
  /** Data may be lost in it by design, so that neighbours need not survive. */
  readonly losesData?: boolean;
  /** Rejects if the law is broken. */
  run(t: CaseContext): Promise<void>;
}

/** Cases about one subject. */
export interface CaseGroup {
  /** The letters that the names of its cases begin with. */
  readonly prefix: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

/** How long `it` may take in a run of `profile`, in ms. */
export function capOf(it: Case, profile: Profile): number {
  return (it.cap ?? 60_000) * (profile === "soak" ? 10 : 1);
}

/** Whether a run of `profile` holds `it`. */
export function isIn(it: Case, profile: Profile): boolean {
  return profiles.indexOf(it.profile ?? "smoke") <= profiles.indexOf(profile);
}
