import { visible } from "@ojm/core/internal";
import { colorOf, type Paint } from "../../../../output/color.js";
import { sayGap } from "../../../../output/lines.js";
import { oneLine } from "../../../../output/table.js";
import { cut, fold, wrap } from "../../../../output/width/width.js";
import type { Details, Shown } from "../data/details.js";
import type { Body } from "./frame.js";
import type { Ui } from "./ui.js";

/** The largest part of the page for the reasons. The rest is for the log, which changes. */
const SHARE_OF_REASONS = 0.5;

/** The details as the body of a frame: as many lines as the page has. */
export function detailsBody(
  { name, reasons, run, log }: Pick<Details, "name" | "reasons" | "run" | "log">,
  { view, scroll }: Pick<Ui, "view" | "scroll">,
  { columns, page }: { readonly columns: number; readonly page: number },
  paint: Paint,
): Body & { readonly scroll: number } {
  const why =
    view === "log"
      ? []
      : [paint(cut(visible(name), columns), "bold"), ...reasonLines(reasons, columns), ""].slice(
          0,
          Math.max(2, Math.floor(page * SHARE_OF_REASONS)),
        );
  const title = run === undefined ? "it never ran" : `log of ${run.id}: ${run.status}`;
  const place = Math.max(1, page - why.length - 1);
  const lines = log.flatMap((item) => logLines(item, columns, paint));
  if (lines.length === 0 && run !== undefined) lines.push("  nothing so far");
  // A key can scroll beyond the start: stop at the first line.
  const most = Math.max(0, lines.length - place);
  const below = Math.min(scroll, most);
  const end = lines.length - below;
  return {
    lines: [...why, paint(cut(oneLine(title), columns), "bold"), ...lines.slice(Math.max(0, end - place), end)],
    scroll: below,
  };
}

function reasonLines(reasons: Details["reasons"], columns: number): string[] {
  if (reasons === undefined) return ["  reading …"];
  const folded = (text: string, first: string, others: string): string[] =>
    fold(oneLine(text), columns - others.length).map((line, i) => cut(`${i === 0 ? first : others}${line}`, columns));
  return reasons.flatMap(({ text, help }) => [
    ...folded(text, "- ", "    "),
    ...(help === undefined ? [] : folded(help, "  -> ", "     ")),
  ]);
}

function logLines(item: Shown, columns: number, paint: Paint): string[] {
  if ("missing" in item) {
    const text = sayGap(item);
    return [paint(cut(text, columns), "gray")];
  }
  const time = new Date(item.at).toTimeString().slice(0, 8);
  const color = item.level === "stderr" ? undefined : colorOf(item.level);
  return wrap(`${time} ${visible(item.text, "\t").replaceAll("\t", "  ")}`, columns).map((line) => paint(line, color));
}
