import type { HeldLock } from "@ojm/core";
import type { SayTime } from "../../output/times.js";

/** The attempt for which a process keeps a lock. */
interface Kept {
  readonly attempt: number;
  readonly due: number;
}

/** A person who keeps all runs of a job away. */
export interface Hold {
  readonly author?: string;
  readonly reason: string;
  readonly until: number;
}

/** The hold in the note of a lock; `undefined` for all other locks. */
export function holdOf(note: HeldLock["note"]): Hold | undefined {
  const { hold } = (note ?? {}) as { readonly hold?: Partial<Hold> };
  const { reason, until, author } = hold ?? {};
  if (typeof reason !== "string" || typeof until !== "number") return undefined;
  return { reason, until, ...(typeof author === "string" && { author }) };
}

/** The attempt in the note of a lock that is kept between two attempts; `undefined` for all other locks. */
export function keptOf(note: HeldLock["note"]): Kept | undefined {
  const { kept } = (note ?? {}) as { readonly kept?: Partial<Kept> };
  const { attempt, due } = kept ?? {};
  return typeof attempt === "number" && typeof due === "number" ? { attempt, due } : undefined;
}

/** The next attempt and its time; an empty text for a lock that is not kept. */
export function sayKept(note: HeldLock["note"], say: SayTime): string {
  const kept = keptOf(note);
  return kept === undefined ? "" : `${kept.attempt}, due ${say(kept.due)}`;
}
