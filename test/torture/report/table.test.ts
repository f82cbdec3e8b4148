import { expect, it } from "vitest";
import type { Row } from "./finding.js";
import { tableOf } from "./table.js";

const row = (seed: number, more: Partial<Row> = {}): Row => ({
  backend: "redis",
  fault: "none",
  mode: "try",
  seed,
  ttl: 800,
  runs: 10,
  overlaps: 0,
  violations: 0,
  excusedOverlap: 0,
  forcedOverlap: 0,
  commit: "abc1234",
  date: "2026-01-02",
  ...more,
});

it("the table sums up the rounds, and shows the worst result of all of them in each place", () => {
  const rows = [
    row(3, { worstSignal: 0.4 }),
    row(4, { worstSignal: 1.25 }),
    row(5),
    row(9, { mode: "wait", fault: "holder kill -9", recovery: 190 }),
    row(9, { fault: "combination", broken: "no tmpfs", runs: 0 }),
  ];
  const table = tableOf(rows, ["Redis 8"]).split("\n");
  expect(table[0]).toBe(
    "2026-01-02, commit abc1234. 4 cells: 2 places of the matrix in 1 to 3 rounds, seeds 3 to 5, 9, TTL 800 ms. 40 runs, 0 overlaps, 0 violations.",
  );
  expect(table[1]).toContain("1 more cells were broken off");
  expect(table[2]).toBe("Modes: redis try, wait. Versions: Redis 8.");
  expect(table).toContain("| none | held, signal +1.3 |");
  expect(table).toContain("| holder kill -9 | held, back in 190 |");
  expect(table).toContain("| combination | not run |");
});

it("a column takes the results of one commit only, but of several days", () => {
  expect(() => tableOf([row(1), row(2, { commit: "abc1234+changes" })], [])).toThrow("abc1234, abc1234+changes");
  const two = tableOf([row(1), row(2, { commit: "cafe123", backend: "level", runs: 7 })], []).split("\n");
  expect(two[0]).toMatch(/^2026-01-02, commit abc1234 on redis\. 1 cells: .* 10 runs,/);
  expect(two[1]).toMatch(/^2026-01-02, commit cafe123 on level\. 1 cells: .* 7 runs,/);
  expect(tableOf([row(1, { date: "2026-01-03" }), row(2)], [])).toMatch(/^2026-01-02, 2026-01-03, commit abc1234/);
});

it("a table of two versions names the base version, and takes the results of one", () => {
  expect(tableOf([row(1, { base: "0ddba5e0" })], [])).toContain(
    "commit abc1234 and the base version 0ddba5e0. 1 cells",
  );
  const rows = [row(1, { base: "0ddba5e0" }), row(2, { base: "ca5cade5" })];
  expect(() => tableOf(rows, [])).toThrow("abc1234 with 0ddba5e0, abc1234 with ca5cade5");
});

it("the table separates how long two holders ran at once by the fault and by force", () => {
  const table = tableOf([row(1, { mode: "force", forcedOverlap: 49.2 }), row(2, { excusedOverlap: 12 })], []);
  expect(table).toContain("| none | held, two ran 12 |");
  expect(table).toContain("two ran for at most 49 ms");
});

it("the table says why a place of the matrix is empty", () => {
  const skipped = (backend: string, fault: string): Row =>
    row(1, { backend, fault, skipped: "n/a: no network", runs: 0 });
  const cut = "network cut to the holder";
  const table = tableOf(
    [row(1), skipped("simple", cut), skipped("level", cut), skipped("level", "network slow by 200 ms")],
    [],
  );
  expect(table).toContain(`- n/a: no network: ${cut} on simple, level; network slow by 200 ms on level.`);
});
