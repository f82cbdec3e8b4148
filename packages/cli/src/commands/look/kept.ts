import type { HeldLock } from "@ojm/core";
import type { SayTime } from "../../output/times.js";

/** The attempt for which a process keeps a lock. */
interface Kept {
  readonly attempt: number;
  readonly due: number;
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
