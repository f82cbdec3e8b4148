import type { Event } from "../scene/events.js";
import type { Scene } from "../scene/scene.js";
import type { Violation } from "../validate/verdict.js";

/** How much the timeline shows before and after the first violation, in ms. */
const BEFORE = 2_500;
const AFTER = 500;
const MOST_LINES = 250;

/** Callers that do not wait are refused most of the time. Omit that: it would hide the other events. */
function isIdle(event: Event): boolean {
  return (event.e === "asked" && event.wait === 0) || (event.e === "settled" && event.outcome === "LOCKED");
}

/**
 * All actions of the harness, and the journal of each worker around the first violation. Times
 * in ms before and after it.
 */
export function timeline({ members, notes }: Scene, violations: readonly Violation[]): string {
  const lines = [
    ...notes.map(({ t, text }) => ({ t, text: `** ${text}` })),
    ...violations.flatMap(({ t, law, text }) => (t === undefined ? [] : [{ t, text: `!! ${law}: ${text}` }])),
    ...members.flatMap(({ index, events }) =>
      events
        .filter((event) => event.e !== "stock" && !isIdle(event))
        .map(({ t, e, ...rest }) => ({ t, text: `${index}  ${e} ${JSON.stringify(rest).slice(1, -1)}` })),
    ),
  ].sort((a, b) => a.t - b.t);
  const first = violations.find(({ t }) => t !== undefined)?.t ?? lines.at(-1)?.t ?? 0;
  return lines
    .filter(({ t, text }) => text.startsWith("**") || (t >= first - BEFORE && t <= first + AFTER))
    .slice(-MOST_LINES)
    .map(({ t, text }) => `${(t - first).toFixed(1).padStart(9)} ${text}`)
    .join("\n");
}
