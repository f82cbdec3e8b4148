import type { Capability, Facility, Fault } from "../harness/harness.js";
import type { CaseContext } from "./context.js";

/** How much to prove: in seconds, in a minute or two, or for as long as it takes to be sure. */
export type Profile = "smoke" | "full" | "soak";

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
  /** How long it may take, in ms, before it counts as failed; in a soak ten times as long. Default: 60,000. */
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

const PROFILES: readonly Profile[] = ["smoke", "full", "soak"];

/** How long `it` may take in a run of `profile`, in ms. */
export function capOf(it: Case, profile: Profile): number {
  return (it.cap ?? 60_000) * (profile === "soak" ? 10 : 1);
}

/** Whether a run of `profile` holds `it`. */
export function isIn(it: Case, profile: Profile): boolean {
  return PROFILES.indexOf(it.profile ?? "smoke") <= PROFILES.indexOf(profile);
}

/** Whether `text` names a profile. */
export function isProfile(text: string): text is Profile {
  return (PROFILES as readonly string[]).includes(text);
}

/** Thrown by a case that finds that it has nothing to test here. */
export class Skip extends Error {
  override readonly name: string = "Skip";
}
