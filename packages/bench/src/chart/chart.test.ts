import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { aGroup, aResult } from "../report/testing/sample.js";
import { chartsOf } from "./charts.js";
import { filled } from "./document.js";
import { svgOf } from "./svg.js";
import { tablesOf } from "./tables.js";

const cost = (wall: number, client: number, server = 0) => [{ wall, client, server }];
const result = aResult(
  aGroup({ ojm: cost(300, 100, 50), floor: cost(150, 60, 40), redlock: cost(400, 120, 80) }),
  aGroup({ ojm: cost(2_000, 100, 50), redlock: cost(4_000, 120, 80) }, { network: "0.5 ms each way" }),
  aGroup({ ojm: cost(30, 30), floor: cost(20, 20) }, { load: { what: "set", width: 50 } }),
  aGroup(
    { ojm: cost(4_000, 200, 400), "pg-boss": [{ wall: 9_000, client: 450, main: 400, server: 600 }] },
    { store: "postgres", durability: "a power cut" },
  ),
);

it("a chart shows the median, the spread and the goal of each bar", () => {
  const svg = svgOf({
    title: "a < b",
    axis: "times",
    bars: [{ label: "redis & co", value: { median: 1, least: 0.5, most: 2 }, goal: 1.5 }],
  });
  expect(svg).toContain("a &lt; b</title>");
  expect(svg).toContain("redis &amp; co");
  // The axis is 400 wide and ends at 2.
  expect(svg).toContain('<rect class="bar" x="250" y="58" width="200.0"');
  expect(svg).toContain('class="spread" x1="350.0" x2="650.0"');
  expect(svg).toContain('class="goal" x1="550.0"');
  expect(svg).toContain("prefers-color-scheme: dark");
});

it("a bar that is much longer than the others is cut, and its number is whole", () => {
  const long = { label: "simple", value: { median: 19, least: 6, most: 25 } };
  const svg = svgOf({ title: "", axis: "", bars: [long, { label: "x", value: { median: 1, least: 1, most: 1 } }] });
  expect(svg).toContain('width="400.0"');
  expect(svg).toContain(">19.0 →<");
  expect(svg).not.toContain("NaN");
});

it("each chart has the comparisons that it is about, and an empty one is left out", () => {
  const charts = chartsOf(result);
  expect([...charts.keys()]).toEqual(["floor.svg", "peers.svg", "postgres.svg", "network.svg"]);
  expect(charts.get("floor.svg")).toContain("redis, 1 name");
  expect(charts.get("postgres.svg")).toContain("pg-boss, 1 name");
  expect(charts.get("peers.svg")).not.toContain("pg-boss");
  expect(charts.get("peers.svg")).toContain("redlock, 1 name");
  expect(charts.get("network.svg")).toContain("redlock, 1 name");
  expect([...chartsOf(aResult()).keys()]).toEqual([]);
});

it("the tables show cost, ratio and goal of each comparison", () => {
  const tables = tablesOf(result);
  const ratio = "1.50 (1.50 … 1.50) | 1.35, over | 1.50 | 2.00 (2.00 … 2.00) | 100 + 50.0 µs | 60.0 + 40.0 µs |";
  expect(tables.get("floor")).toContain(`| redis | floor | run, 1 name in sequence | ${ratio}`);
  expect(tables.get("peers")).toContain(
    "| redis | redlock | run, 1 name in sequence | 0.75 (0.75 … 0.75) | 1.1, met |",
  );
  expect(tables.get("network")).toContain("| 0.50 (0.50 … 0.50) | 0.6, met | 2000 µs | 4000 µs |");
  expect(tables.get("calls")).toContain("| set, 50 in flight | 1.50 (1.50 … 1.50) | 1.15, over |");
  expect(tables.get("postgres")).toContain(
    "| pg-boss | run, 1 name in sequence | 0.60 (0.60 … 0.60) | 0.7, met | 0.57 | 0.44 (0.44 … 0.44) |",
  );
  expect(tables.get("peers")).not.toContain("pg-boss");
  expect(tables.get("allocation")).toContain("| redis | ojm | run, 1 name in sequence | 13.0 KB | 12 KB, over |");
  expect(tablesOf(aResult()).get("floor")).toBe("Not measured.");
});

it("the heading says that a quick run is one, and what could not be measured", () => {
  const facts = tablesOf(result).get("facts") ?? "";
  expect(facts).toMatch(/^### Measured on 2026-01-02: a quick run/);
  expect(facts).toContain("- redis: nothing.");
  expect(facts).toContain("- etcd: not measured, etcd is not installed.");
  expect(tablesOf({ ...result, quick: false }).get("facts")).toMatch(/^### Measured on 2026-01-02\n/);
});

it("PostgreSQL measured alone leaves the tables of the others as they are", () => {
  const postgres = result.groups.filter(({ store }) => store === "postgres");
  expect([...tablesOf({ ...result, groups: postgres }).keys()]).toEqual(["postgres"]);
  expect([...chartsOf({ ...result, groups: postgres }).keys()]).toEqual(["postgres.svg"]);
});

it("a table goes between its marks, and a document without them is refused", () => {
  const document = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
  expect(filled(document, "x", "costs $1 & $'")).toBe("a\n<!-- x -->\ncosts $1 & $'\n<!-- /x -->\nb\n");
  expect(() => filled(document, "y", "")).toThrow("<!-- y -->");
});

it("the page of benchmarks has a place for each table", () => {
  const page = readFileSync(new URL("../../../../docs/proof/benchmarks.md", import.meta.url), "utf8");
  for (const mark of tablesOf(result).keys()) expect(filled(page, mark, "new")).toContain("new");
});
