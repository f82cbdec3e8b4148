import type { Counters } from "./counting/counts.js";
import type { CrowdRow, ProcessRow } from "./result.js";

/** The goals for a process with ten thousand schedules. */
export const GOALS = { late: 50, memory: 2_048 } as const;

export const ONE_HEADER: string =
  "store   schedules  to add, each  memory, each   idle: none, all of them  ticks/s   late: p50, p99, most";

export const CROWD_HEADER: string =
  "store   processes  ticks, twice, missing   a tick: calls  bytes sent  server   clients   besides, a second: calls  bytes sent  server   clients";

/** The line of one process, with a note for each missed goal. */
export function oneLine({ store, schedules, adding, memory, idle, lateness, rate }: ProcessRow): string {
  const { p50, p99, most } = lateness;
  const missed = [
    ...(p99 > GOALS.late ? [`p99 above ${GOALS.late} ms`] : []),
    ...(memory > GOALS.memory ? [`memory above ${GOALS.memory} bytes`] : []),
  ];
  const cells = [
    store.padEnd(8),
    String(schedules).padStart(9),
    `${(adding / schedules).toFixed(2)} ms`.padStart(14),
    `${memory.toFixed(0)} B`.padStart(14),
    `${percent(idle.none)}, ${percent(idle.all)}`.padStart(26),
    rate.toFixed(0).padStart(9),
    `   ${[p50, p99, most].map((time) => time.toFixed(0)).join(", ")} ms`,
    missed.length === 0 ? "" : `   goal missed: ${missed.join(", ")}`,
  ];
  return cells.join("");
}

/** The line of one crowd. */
export function crowdLine({ store, processes, ticks, perTick, quiet }: CrowdRow): string {
  const cells = [
    store.padEnd(8),
    String(processes).padStart(9),
    `${ticks.ran}, ${ticks.twice}, ${ticks.missing}`.padStart(23),
    number(perTick, "calls", 2).padStart(16),
    number(perTick, "bytes sent", 0).padStart(12),
    `${number(perTick, "server", 0)} µs`.padStart(9),
    `${number(perTick, "clients", 0)} µs`.padStart(10),
    number(quiet, "calls", 1).padStart(26),
    number(quiet, "bytes sent", 0).padStart(12),
    percent((quiet.server ?? 0) / 1e6).padStart(8),
    percent((quiet.clients ?? 0) / 1e6).padStart(10),
  ];
  return cells.join("");
}

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;

function number(counters: Counters, name: string, digits: number): string {
  return counters[name]?.toFixed(digits) ?? "–";
}
