/** What the keys do. No line is longer than 40 columns. */
export const HELP: readonly string[] = [
  "  up down, j k   select a job",
  "  PgUp PgDn, g G a page; the first, last",
  "  Enter          why, and the log, live",
  "  l              the log alone",
  "  c              cancel the run",
  "  p              pause its schedule;",
  "                 again: resume it",
  "  /              show only some names",
  "  Esc            show all; go back",
  "  q, Ctrl-C      end",
  "",
  "  Problems are failures of the last hour",
  "  that no good run followed, schedules",
  "  that nobody runs, and pauses.",
];
