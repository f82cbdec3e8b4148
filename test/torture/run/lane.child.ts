import { brokenLine, lineOf, troubleOf } from "../report/lines.js";
import { brokenRow, rowOf } from "../report/table.js";
import { runCell } from "./cell.js";
import { cellOf, type Done, type Task } from "./task.js";

/*
 * Runs cells one after the other, on request. The proxies of a cell are in this process, so that the
 * computing of another cell cannot delay them.
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
// Always exit through `process.exit()`: workers and servers end with this process only if its exit handlers
// run.
process.once("disconnect", () => process.exit());
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
