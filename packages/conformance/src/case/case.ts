import type { Capability, Facility, Fault } from "../harness/harness.js";
import type { CaseContext } from "./context.js";
import { type Profile, profiles } from "./profile.js";

/** One law, and how to check that a backend keeps it. */
export interface Case {
  /** Stable, because lists of known failures and reports refer to it. */
  readonly id: string;
  /** What must hold, in one sentence. */
  readonly law: string;
  /** The smallest profile that runs it. Default: smoke. */
  readonly profile?: Profile;
  /**
   * Whether larger profiles do more of the same: only then may it call `scale`. A suite that runs in two
   * sizes runs the other cases once.
   */
  readonly scales?: boolean;
  /** What the backend must declare and the harness must offer. */
  readonly needs?: readonly (Capability | Facility)[];
  /** Faults that the case causes if the harness offers them, in addition to those that it needs. */
  readonly uses?: readonly Fault[];
  /**
   * How long the case may run, in ms, before it counts as failed. A soak allows ten times as long. Default:
   * 60,000.
   */
  readonly cap?: number;
  /** The case may lose data by design, so the suite does not check the neighbouring channels after it. */
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

/** Whether a run of `profile` includes `it`. */
export function isIn(it: Case, profile: Profile): boolean {
  return profiles.indexOf(it.profile ?? "smoke") <= profiles.indexOf(profile);
}
