import { brokenLine, lineOf, troubleOf } from "../report/lines.js";
import { brokenRow, rowOf } from "../report/table.js";
import { runCell } from "./cell.js";
import { cellOf, type Done, type Task } from "./task.js";

/*
 * Runs one cell after the other, as it is told to. The proxies of a cell are in this process: what another
 * cell computes must not hold them up.
 */

async function run(task: Task): Promise<Done> {
  try {
    const result = await runCell(cellOf(task));
    const text = result.violations.length === 0 ? lineOf(result) : `${lineOf(result)}\n${troubleOf(result)}`;
    return { text, row: rowOf(result) };
  } catch (error) {
    const why = error instanceof Error ? `${error.stack}` : String(error);
    return { text: brokenLine(task, why), row: brokenRow(task, why) };
  }
}

process.on("message", (task: Task) => void run(task).then((done) => process.send?.(done)));
// Whoever ends this leaves no worker and no server behind: each ends with this process, if it comes to its
// exit.
process.once("disconnect", () => process.exit());
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
