import { offsetText, type Wall, wallOf } from "./wall.js";

/**
 * A time, as short as possible: `02:14:07` or `02:14` today, `Tue 02:14` this week, `12 Nov 02:14`. `listed`:
 * each time of today has its seconds.
 */
export function shortTime(at: number, now: number, zone: string, listed = false): string {
  const wall = wallOf(at, zone);
  const today = wallOf(now, zone);
  const time = `${wall.hour}:${wall.minute}`;
  // Most ticks are at whole minutes.
  if (dayOf(wall) === dayOf(today)) return at % 60_000 === 0 && !listed ? time : `${time}:${wall.second}`;
  if (Math.abs(at - now) < 6 * 86_400_000) return `${wall.weekday} ${time}`;
  const date = `${wall.day} ${wall.month}`;
  return wall.year === today.year ? `${date} ${time}` : `${date} ${wall.year}`;
}

/** A time as the server writes it. The time in the id of a run is left unchanged. */
export const TIMES: RegExp = /((?<!@)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A text of the server with its times in a zone. */
export const inZone = (text: string, now: number, zone: string): string =>
  text
    .split(TIMES)
    .map((part, i) => (i % 2 === 0 ? part : shortTime(Date.parse(part), now, zone)))
    .join("");

const dayOf = ({ year, month, day }: Wall): string => `${year} ${month} ${day}`;

/** A full time: `Tue 24 Nov 2026 02:14:07.120 +01:00 Europe/Berlin`. */
export function longTime(at: number, zone: string): string {
  return logTimes(at, zone).long;
}

/** The time of day of a line with its milliseconds, and its full time. */
export function logTimes(at: number, zone: string): { readonly clock: string; readonly long: string } {
  const wall = wallOf(at, zone);
  const { weekday, day, month, year, hour, minute, second, fractionalSecond } = wall;
  const clock = `${hour}:${minute}:${second}.${fractionalSecond}`;
  const where = zone === "UTC" ? "UTC" : `${offsetText(at, zone, wall)} ${zone}`;
  return { clock, long: `${weekday} ${day} ${month} ${year} ${clock} ${where}` };
}
