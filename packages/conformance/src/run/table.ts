import { type Outcome, type RunReport, tally } from "./result.js";

const WORDS: Readonly<Record<Outcome, string>> = {
  pass: "pass",
  refused: "refused",
  known: "known",
  skipped: "–",
  fail: "**FAIL**",
};

/**
 * The reports of several backends as a Markdown table: a row for each case, a column for each backend, and a
 * last row with the totals. Cases are in the order of the first report that has them.
 */
export function table(reports: readonly RunReport[]): string {
  const laws = new Map<string, string>();
  for (const { results } of reports) for (const { id, law } of results) if (!laws.has(id)) laws.set(id, law);
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const lines = [
    row(["case", "law", ...reports.map(({ backend }) => backend)]),
    row(Array(reports.length + 2).fill("---")),
  ];
  for (const [id, law] of laws) {
    const cells = reports.map(({ results }) => {
      const outcome = results.find((result) => result.id === id)?.outcome;
      return outcome === undefined ? "" : WORDS[outcome];
    });
    lines.push(row([id, law.replaceAll("|", "\\|"), ...cells]));
  }
  const counts = reports.map(({ results }) => {
    const { pass, refused, known, fail } = tally(results);
    const more = [known > 0 && `${known} known`, fail > 0 && `${fail} failed`].filter(Boolean);
    return [`${pass} pass`, refused > 0 && `${refused} refused`, ...more].filter(Boolean).join(", ");
  });
  lines.push(row(["", "in all", ...counts]));
  return `${lines.join("\n")}\n`;
}
