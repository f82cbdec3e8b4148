import type { QueueResult } from "../queue/lines.js";
import {
  ITEMS_COLUMNS,
  itemsRows,
  WAITING_COLUMNS,
  WORKERS_COLUMNS,
  waitingRows,
  workersCells,
} from "../queue/lines.js";
import { machineText, table } from "./tables.js";

/** The tables of the parts of a result that were measured, by the names of their places in the document. */
export function queueTablesOf(result: QueueResult): Map<string, string> {
  const { date, quick, items, waiting, workers } = result;
  const rounds = Math.max(0, ...items.flatMap(({ add }) => add.measured.map((it) => it.rounds.length)));
  const facts = `Measured on ${date}${quick ? ": a quick run, for a first idea" : ""}: ${machineText(result, rounds)}`;
  const tables = new Map<string, string>();
  if (items.length > 0) {
    tables.set("queue-facts", facts);
    tables.set("queue-items", table(Object.keys(ITEMS_COLUMNS), items.flatMap(itemsRows)));
  }
  if (waiting.length > 0)
    tables.set("queue-waiting", table(Object.keys(WAITING_COLUMNS), waiting.flatMap(waitingRows)));
  if (workers.length > 0) tables.set("queue-workers", table(Object.keys(WORKERS_COLUMNS), workers.map(workersCells)));
  return tables;
}
