import type { TickView } from "../../../api/types.js";
import { problemOf, tickState } from "../../../format/states.js";
import { LANE, type Picture, xOf } from "./picture.js";

/**
 * Draws a tick: a ring if it is to come, broken if nobody runs it; a triangle if skipped, a cross if missed
 * or refused, a clock if overdue.
 */
export function drawTick(picture: Picture, tick: TickView, y: number): void {
  const { context, width, colors } = picture;
  const x = xOf(picture, tick.due);
  const end = tick.until === undefined ? x : xOf(picture, tick.until);
  if (x > width + 8 || end < -8) return;
  const middle = y + LANE / 2;
  const isBad = tick.outcome === "missed" || tick.outcome === "refused";
  const isOverdue = tickState(tick, picture.now) === problemOf("overdue");
  const isSkipped = tick.outcome === "skipped" || (tick.outcome === undefined && tick.skipped !== undefined);
  context.strokeStyle = isBad ? colors.bad : isSkipped || isOverdue ? colors.warn : colors.quiet;
  context.lineWidth = 1.75;
  if (end - x > 8) {
    // Several ticks in a row: a line over all of their time.
    context.beginPath();
    context.setLineDash([3, 3]);
    context.moveTo(x, middle);
    context.lineTo(end, middle);
    context.stroke();
    context.setLineDash([]);
  }
  context.beginPath();
  if (isBad) {
    context.moveTo(x - 4, middle - 4);
    context.lineTo(x + 4, middle + 4);
    context.moveTo(x + 4, middle - 4);
    context.lineTo(x - 4, middle + 4);
  } else if (isSkipped) {
    context.moveTo(x - 4.5, middle + 4);
    context.lineTo(x, middle - 4.5);
    context.lineTo(x + 4.5, middle + 4);
    context.closePath();
  } else if (isOverdue) {
    context.arc(x, middle, 4.5, 0, 7);
    context.moveTo(x, middle - 3);
    context.lineTo(x, middle);
    context.lineTo(x + 2.5, middle + 1);
  } else {
    if (tick.nobody === true) context.setLineDash([2.5, 2]);
    context.arc(x, middle, 3.5, 0, 7);
  }
  context.stroke();
  context.setLineDash([]);
}
