import type { RunRecord } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

/** Writes a time as the user wants it; an empty text for none. */
export type SayTime = (time: number | undefined) => string;

type How = (time: number, now: number) => string;

const iso: How = (time) => new Date(time).toISOString();

const HOWS: Readonly<Record<string, How>> = {
  iso,
  local: (time) => new Date(time).toLocaleString("sv-SE", { timeZoneName: "short" }),
  relative: (time, now) => (time > now ? `in ${rough(time - now)}` : `${rough(now - time)} ago`),
};

/** A duration with its greatest unit alone, as `3 min`. */
export function rough(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ];
  const [size, unit] = units.find(([least]) => ms >= least) ?? [1, "ms"];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** How this command writes times, by the name of the way. */
export function timesOf(given: Given): string {
  return lastValue(given, "time") ?? (process.stdout.isTTY ? "relative" : "iso");
}

/** How this command writes times. */
export function sayTime(given: Given): SayTime {
  const say = HOWS[timesOf(given)] ?? iso;
  const now = Date.now();
  return (time) => (time === undefined ? "" : say(time, now));
}

/** A duration in words; an empty text for none. */
export function sayDuration(ms: number | undefined): string {
  return ms === undefined ? "" : durationText(ms);
}

/** How long a run took. Nobody sees the end of one that is lost: its record is closed when it is noticed. */
export function sayTook({ status, duration }: Pick<RunRecord, "status" | "duration">): string {
  return status === "lost" && duration !== undefined ? `≤ ${durationText(duration)}` : sayDuration(duration);
}

/** Which attempt a run is; an empty text for one that is not tried again. */
export function sayAttempt({ attempt, retry }: Pick<RunRecord, "attempt" | "retry">): string {
  return attempt === undefined ? "" : `${attempt} of ${retry?.attempts ?? "?"}`;
}

/** A duration by its greatest unit, or two. */
export function short(ms: number): string {
  if (ms < 1_000) return "0 s";
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  if (ms < 86_400_000) return sayDuration(Math.floor(ms / 1_000) * 1_000);
  return `${Math.floor(ms / 86_400_000)} d`;
}
