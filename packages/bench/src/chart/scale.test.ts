import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { aGroup, aResult } from "../report/testing/sample.js";
import { calculateNodes } from "../scale/nodes.js";
import type { ScaleResult } from "../scale/result.js";
import { curvesSvg } from "./curves.js";
import { filled } from "./document.js";
import { curvesOf, scaleTablesOf } from "./scale.js";

const scale: ScaleResult = {
  kind: "scale",
  date: "2026-01-02",
  machine: { cpu: "a processor", cores: 2, system: "Linux 6", load: [0.1, 1.5] },
  names: [
    { store: "redis", names: 1, records: 10, insertPerSecond: 9_000, newest: 0.5, window: 0.6, prune: 1.4 },
    { store: "redis", names: 100, records: 1_000, insertPerSecond: 9_000, newest: 0.7, window: 0.6, prune: 1.4 },
  ],
  sessions: [
    { store: "redis", sessions: 0, server: 0.01, clients: 0 },
    { store: "redis", sessions: 1_000, server: 0.03, clients: 0.2 },
  ],
  waiters: [
    {
      store: "redis",
      waiters: 10,
      processes: 1,
      idle: 0.02,
      handOff: { median: 1, p99: 2, most: 3 },
      failed: 0,
      lost: false,
    },
  ],
};

it("what ten thousand nodes ask of a server grows with their sessions and their runs", () => {
  const { rows, ends } = calculateNodes(scale.sessions, new Map([["redis", 60]]));
  // Of each node 20 µs a second for its session, and 1 µs for a sixtieth of a run.
  expect(rows.map(({ nodes, server }) => [nodes, Number(server.toFixed(4))])).toEqual([
    [10, 0.0102],
    [100, 0.0121],
    [1_000, 0.031],
    [10_000, 0.22],
  ]);
  expect(ends).toEqual([expect.objectContaining({ store: "redis", nodes: 47_142 })]);
});

it("a store whose sessions were not measured is not calculated", () => {
  expect(calculateNodes(scale.sessions, new Map([["etcd", 60]])).rows).toEqual([]);
});

it("a curve has its points on logarithmic axes, without those at 0", () => {
  const curves = [
    {
      label: "a & b",
      points: [
        [0, 5],
        [1, 0.1],
        [10, 1],
        [100, 10],
      ] as const,
    },
  ];
  const svg = curvesSvg({ title: "t", x: "names", y: "ms", curves });
  expect(svg).toContain('points="80.0,320.0 355.0,188.0 630.0,56.0"');
  expect(svg).toContain("a &amp; b</text>");
  expect(svg).not.toContain("NaN");
});

it("each part of a scale has a chart and a table, even if only one was measured", () => {
  expect([...curvesOf(scale).keys()]).toEqual(["names.svg", "sessions.svg", "waiters.svg"]);
  expect([...curvesOf({ ...scale, names: [], waiters: [] }).keys()]).toEqual(["sessions.svg"]);
  const runs = aResult(aGroup({ ojm: [{ wall: 1, client: 1, server: 60 }] }, { load: { what: "run", width: 32 } }));
  const tables = scaleTablesOf(scale, runs);
  expect(tables.get("scale-names")).toContain("| redis | 100 | 1,000 | 9,000 | 0.70 ms | 0.60 ms | 1.4 × |");
  expect(tables.get("scale-sessions")).toContain("| redis | 1,000 | 3.00 % | 20.00 % |");
  expect(tables.get("scale-waiters")).toContain("| redis | 10 | 1 | 2.00 % | 1.0, 2.0, 3.0 ms | none |");
  expect(tables.get("scale-nodes")).toContain("| redis | 10,000 | 166.7 | 22.00 % |");
  expect(scaleTablesOf(scale, undefined).get("scale-nodes")).toContain("Not measured.");
});

it("the page of benchmarks has a place for each table of growth, and shows each chart", () => {
  const page = readFileSync(new URL("../../../../docs/proof/benchmarks.md", import.meta.url), "utf8");
  for (const mark of scaleTablesOf(scale, undefined).keys()) expect(filled(page, mark, "new")).toContain("new");
  for (const chart of curvesOf(scale).keys()) expect(page).toContain(`(benchmarks/${chart})`);
});
