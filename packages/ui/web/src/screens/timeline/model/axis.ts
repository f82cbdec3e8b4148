import { offsetOf, timeAt, wallOf } from "../../../format/wall.js";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** Readable distances between marks. */
const STEPS = [
  ...[1_000, 5_000, 15_000, 30_000],
  ...[MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR],
  ...[DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY],
];

/** A mark of the axis. */
export interface Mark {
  readonly at: number;
  readonly text: string;
  /** Whether a day starts there. */
  readonly isDay: boolean;
}

/**
 * The marks between two times, in the local time of a zone: at whole hours, even after its clocks changed.
 * Not d3-time, which supports only UTC and the zone of the browser.
 */
export function marksOf(from: number, to: number, zone: string, most: number): readonly Mark[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? DAY * Math.ceil((to - from) / DAY / most);
  const first = Math.floor((from + offsetOf(from, zone)) / step) * step;
  const marks: Mark[] = [];
  const last = to + offsetOf(to, zone);
  for (let wall = first; wall <= last; wall += step) {
    const at = timeAt(wall, zone);
    if (at < from || at > to || marks.at(-1)?.at === at) continue;
    marks.push({ at, ...textOf(at, zone, step) });
  }
  return marks;
}

function textOf(at: number, zone: string, step: number): Pick<Mark, "text" | "isDay"> {
  const { weekday, day, month, hour, minute, second } = wallOf(at, zone);
  const isDay = hour === "00" && minute === "00" && second === "00";
  if (isDay) return { text: step > DAY ? `${day} ${month}` : `${weekday} ${day} ${month}`, isDay };
  return { text: step < MINUTE ? `${hour}:${minute}:${second}` : `${hour}:${minute}`, isDay };
}

/** A change of the clocks of a zone. */
export interface ClockChange {
  readonly at: number;
  /** How far the clocks go forward, in ms; negative: back. */
  readonly by: number;
}

/** The changes of the clocks between two times. */
export function clockChanges(from: number, to: number, zone: string): readonly ClockChange[] {
  const changes: ClockChange[] = [];
  for (let at = from; at < to; at += DAY) {
    const end = Math.min(at + DAY, to);
    const by = offsetOf(end, zone) - offsetOf(at, zone);
    if (by !== 0) changes.push({ at: changeBetween(at, end, zone), by });
  }
  return changes;
}

function changeBetween(from: number, to: number, zone: string): number {
  const before = offsetOf(from, zone);
  let [low, high] = [from, to];
  while (high - low > 1_000) {
    const middle = (low + high) / 2;
    if (offsetOf(middle, zone) === before) low = middle;
    else high = middle;
  }
  return Math.round(high / MINUTE) * MINUTE;
}
