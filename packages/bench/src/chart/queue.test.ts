import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { ItemsResult } from "../queue/items.js";
import type { QueueResult } from "../queue/lines.js";
import { aGroup, aResult } from "../report/testing/sample.js";
import { filled } from "./document.js";
import { queueTablesOf } from "./queue.js";

const cost = (wall: number, client: number, server = 0) => [{ wall, client, server }];

function itemsOf(costs: Parameters<typeof aGroup>[0], store: string, width = 32): ItemsResult {
  const group = (what: "add" | "work") => aGroup(costs, { store, load: { what, width } });
  return { add: group("add"), work: group("work"), both: group("work") };
}

const result: QueueResult = {
  ...aResult(),
  kind: "queue",
  items: [
    itemsOf({ ojm: cost(500, 60, 30), bullmq: cost(400, 50, 50) }, "redis"),
    itemsOf({ ojm: cost(250, 200) }, "sqlite"),
  ],
  waiting: [
    {
      contestant: "ojm",
      result: itemsOf({ "1,000 waiting": cost(9, 50, 50), "1,000,000 waiting": cost(9, 60, 50) }, "redis"),
    },
  ],
  workers: [
    { store: "redis", workers: 1_000, perItem: { calls: 4.56, clients: 900, server: 100 }, quiet: { calls: 20 } },
  ],
};

it("the tables of queues show the goals, and have their places in the document", () => {
  const tables = queueTablesOf(result);
  const document = readFileSync("docs/proof/benchmarks.md", "utf8");
  for (const [mark, text] of tables) expect(filled(document, mark, text)).toContain(text);
  const items = tables.get("queue-items");
  expect(items).toContain(
    "| redis | 32 at once | both | bullmq | 0.90 (0.90 … 0.90) | 1, met | 60.0 + 30.0 µs | 50.0 + 50.0 µs | 2000, 2500 |",
  );
  expect(items).toContain("| sqlite | 32 at once | work | – | – | ≥ 5000 a second, under | 200 µs | – | 4000 |");
  expect(tables.get("queue-waiting")).toContain("| work | 1,000,000 waiting / 1,000 waiting | 1.10 (1.10 … 1.10) |");
  expect(tables.get("queue-workers")).toContain("| redis | 1,000 | 4.6 | 900 + 100 µs | 20.0 | – + – |");
});

it("a result of one part leaves the tables of the others alone", () => {
  const tables = queueTablesOf({ ...result, items: [], waiting: [] });
  expect([...tables.keys()]).toEqual(["queue-workers"]);
});
