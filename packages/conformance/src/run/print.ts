import { type CaseResult, type RunReport, tally } from "./result.js";

const MARKS: Readonly<Record<CaseResult["outcome"], string>> = {
  pass: "ok     ",
  refused: "refused",
  known: "known  ",
  skipped: "skipped",
  fail: "FAIL   ",
};

/** A result as one line, and below it the reason or the error, if there is one. */
export function line(result: CaseResult): string {
  const { id, law, outcome, reason, ms } = result;
  const head = `${MARKS[outcome]}  ${id}  ${law}  (${ms} ms)`;
  if (outcome === "fail") return `${head}\n${indent(details(result))}`;
  return reason === undefined ? head : `${head}\n${indent(reason)}`;
}

function details({ error, reason }: CaseResult): string {
  if (!(error instanceof Error)) return reason ?? String(error);
  const causes: string[] = [error.stack ?? error.message];
  for (let { cause } = error; cause instanceof Error; { cause } = cause) causes.push(`caused by ${cause.message}`);
  return causes.join("\n");
}

function indent(text: string): string {
  return text.replace(/^/gm, "         ");
}

/** The outcome of a run, in a few lines. */
export function summary(report: RunReport): string {
  const counts = tally(report.results);
  const parts = [`${counts.pass} passed`];
  if (counts.refused > 0) parts.push(`${counts.refused} refused by declaration`);
  if (counts.known > 0) parts.push(`${counts.known} known to fail`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  parts.push(`${counts.fail} failed`);
  const lines = [`${report.backend}, ${report.profile}, seed ${report.seed}: ${parts.join(", ")}`];
  const failures = report.results.filter(({ outcome }) => outcome === "fail").map(({ id }) => id);
  if (failures.length > 0) {
    lines.push(`failed: ${failures.join(" ")}`);
    lines.push(`again:  --seed ${report.seed} --only ${failures.join(",")}`);
  }
  return lines.join("\n");
}

/** A report as JSON. An error becomes its message, because JSON would make it an empty object. */
export function toJson(report: RunReport): string {
  return `${JSON.stringify(report, (_key, value: unknown) => (value instanceof Error ? value.message : value), 2)}\n`;
}
