import type { RunRecord } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { distanceText, tookText } from "@ojm/core/internal";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

/** Writes a time in the chosen format; an empty text for none. */
export type SayTime = (time: number | undefined) => string;

type How = (time: number, now: number) => string;

const iso: How = (time) => new Date(time).toISOString();

const HOWS: Readonly<Record<string, How>> = {
  iso,
  local: (time) => new Date(time).toLocaleString("sv-SE", { timeZoneName: "short" }),
  relative: distanceText,
};

/** The name of the time format of this command. */
export function timesOf(given: Given): string {
  return lastValue(given, "time") ?? (process.stdout.isTTY ? "relative" : "iso");
}

/** The time format of this command. */
export function sayTime(given: Given): SayTime {
  const say = HOWS[timesOf(given)] ?? iso;
  const now = Date.now();
  return (time) => (time === undefined ? "" : say(time, now));
}

/** A duration as text; empty for none. */
export function sayDuration(ms: number | undefined): string {
  return ms === undefined ? "" : durationText(ms);
}

/** How long a run took; an empty text while it is running. */
export function sayTook({ status, duration }: Pick<RunRecord, "status" | "duration">): string {
  return duration === undefined ? "" : tookText(status, duration);
}

/** The attempt number of a run; an empty text for a run without retries. */
export function sayAttempt(run: Pick<RunRecord, "attempt" | "retry" | "trigger" | "meta">): string {
  const { attempt, retry, trigger, meta } = run;
  if (attempt !== undefined) return `${attempt} of ${retry?.attempts ?? "?"}`;
  // The attempts of an item are those of its queue.
  const ofItem = trigger === "queue" ? meta?.["attempt"] : undefined;
  return typeof ofItem === "number" ? String(ofItem) : "";
}
