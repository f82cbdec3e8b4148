/** The help about the keys. Lines have 40 columns at most. */
export const HELP: readonly string[] = [
  "  up down, j k   select a job",
  "  PgUp PgDn, g G a page; the first, last",
  "  Enter          why, and the log, live;",
  "                 or the jobs of the row",
  "  l              the log alone",
  "  c              cancel the run",
  "  p              pause its schedule;",
  "                 again: resume it",
  "  /              show only some names",
  "  Esc            show all; go back",
  "  q, Ctrl-C      end",
  "",
  "  Problems: failures of the last 7 days",
  "  without a later success, schedules",
  "  that no process runs, overdue ticks,",
  "  long runs, holds, pauses and more.",
];
