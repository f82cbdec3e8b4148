import { durationText } from "@ojm/core/backend";
import { visible } from "@ojm/core/internal";
import type { Alert } from "../types.js";

const WORDS: { readonly [K in Alert["kind"]]: string } = {
  started: "started",
  completed: "completed",
  failed: "failed",
  lost: "was lost",
  timeout: "took too long and was stopped",
  recovered: "runs again",
  long: "runs longer than it should",
  missed: "was not run at its tick",
  late: "began late",
};

/** One line about an alert. */
export function headline({ name, kind, streak }: Alert): string {
  const times = streak !== undefined && streak > 1 && kind !== "recovered" ? ` (${streak} times in a row)` : "";
  return visible(`${name} ${WORDS[kind]}${times}`);
}

/** The facts of an alert, as labels and values. */
export function facts(alert: Alert): [field: string, value: string][] {
  const { run, status, host, started, ended, duration, attempt, attempts, streak, dropped } = alert;
  const { tick, until, count, delay } = alert;
  const rows: [string, string | number | undefined][] = [
    ["run", run],
    ["status", status],
    ["tick", tick],
    ["last tick", until],
    ["ticks", count],
    ["began after", delay === undefined ? undefined : durationText(delay)],
    ["host", host],
    ["started", started],
    ["ended", ended],
    ["duration", duration === undefined ? undefined : durationText(duration)],
    ["attempt", attempt === undefined ? undefined : `${attempt} of ${attempts ?? attempt}`],
    ["in a row", streak],
    ["alerts dropped before", dropped],
  ];
  return rows.flatMap(([field, value]) => (value === undefined ? [] : [[field, visible(String(value))]]));
}
