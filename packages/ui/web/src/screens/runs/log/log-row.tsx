import type { VNode } from "preact";
import { to } from "../../../app/router.js";
import { count } from "../../../format/duration.js";
import { logTimes } from "../../../format/times.js";
import { LineText } from "./ansi.js";
import { isLine, type Row } from "./log-model.js";

interface RowProps {
  readonly id: string;
  readonly row: Row;
  readonly zone: string;
  readonly found: string;
  readonly chosen: boolean;
  readonly current: boolean;
}

/** A line of a log, or a place where lines are missing. */
export function LogRow({ id, row, zone, found, chosen, current }: RowProps): VNode {
  if (!isLine(row)) return <div class="line gap">{gapText(row)}</div>;
  const { line, at, level, text } = row;
  const { clock, long } = logTimes(at, zone);
  return (
    <div class="line" data-level={level} data-chosen={chosen} data-current={current}>
      <a class="at" href={`${to.run(id)}#L${line}`} aria-label={`Line ${line}`}>
        {line}
      </a>
      <time title={long}>{clock}</time>
      <span class="text">
        {(level === "error" || level === "warn") && <b class="level">{level} </b>}
        <LineText text={text} found={found} />
      </span>
    </div>
  );
}

function gapText(row: Exclude<Row, { readonly line: number }>): string {
  if ("loading" in row) return "Reading the lines before …";
  const { missing, dropped } = row;
  if (missing === "unknown") return "The last lines were not written: the process or its store was gone.";
  const all = `${count(missing.lines, "line")} missing`;
  if (dropped === undefined) return `${all}: the store does not keep them any more.`;
  return `${all}: ${count(dropped.lines, "line was", "lines were")} never written, as the store was away or slow.`;
}
