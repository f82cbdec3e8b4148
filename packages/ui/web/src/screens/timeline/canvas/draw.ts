import type { Bar, Counts, Status } from "../../../api/types.js";
import { ALL_STATUSES } from "../../../format/states.js";
import { LEAST } from "../model/crowd.js";
import { barsOf, countsOf } from "../model/items.js";
import { drawTicks } from "./draw-tick.js";
import { AXIS, LANE, type Picture, xOf } from "./picture.js";

/** Draws the visible lanes, and the axis above them. */
export function draw(picture: Picture): void {
  const { context, width, height, colors, lanes, scrolled, now } = picture;
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, width, height);
  context.font = picture.font;
  context.textBaseline = "middle";
  drawTimes(picture);
  context.save();
  context.beginPath();
  context.rect(0, AXIS, width, height - AXIS);
  context.clip();
  const first = Math.max(0, Math.floor(scrolled / LANE));
  const last = Math.min(lanes.length, Math.ceil((scrolled + height - AXIS) / LANE));
  for (let i = first; i < last; i++) {
    const lane = lanes[i];
    if (lane === undefined) continue;
    const y = AXIS + i * LANE - scrolled;
    context.fillStyle = colors.line;
    context.fillRect(0, y + LANE - 1, width, 1);
    const bars = barsOf(lane, now);
    for (const bar of bars) drawBar(picture, bar, y);
    drawTicks(picture, lane.ticks, bars, y);
  }
  drawCursor(picture);
  context.restore();
  drawAxis(picture);
}

function drawTimes(picture: Picture): void {
  const { context, width, height, colors, marks, changes, now } = picture;
  const x = Math.max(0, xOf(picture, now));
  context.fillStyle = colors.side;
  if (x < width) context.fillRect(x, AXIS, width - x, height);
  for (const { at, isDay } of marks) {
    context.fillStyle = isDay ? colors.edge : colors.line;
    context.fillRect(Math.round(xOf(picture, at)), AXIS, 1, height);
  }
  for (const { at, by } of changes) {
    // Clocks that go back show an hour twice: both are marked.
    const from = xOf(picture, by < 0 ? at + by : at);
    const to = xOf(picture, by < 0 ? at - by : at);
    context.globalAlpha = 0.18;
    context.fillStyle = colors.warn;
    context.fillRect(from, AXIS, Math.max(2, to - from), height);
    context.globalAlpha = 1;
  }
}

const TALL = 16;
const LOW = 10;

/** From this width on, the bar shows the number of runs, in px. */
const FOR_COUNT = 22;

/**
 * The least height of a status in a bar of several runs, in px: one failure of a thousand runs must be
 * visible.
 */
const LEAST_SHARE = 4;

function drawBar(picture: Picture, bar: Bar, y: number): void {
  const { context, width, colors } = picture;
  const [start, end, status, count] = bar;
  const x = xOf(picture, start);
  const wide = Math.max(LEAST, xOf(picture, end) - x);
  if (x > width || x + wide < 0) return;
  const isBad = status === "failed" || status === "timeout" || status === "lost";
  const tall = isBad || status === "running" || (count > 1 && wide >= FOR_COUNT) ? TALL : LOW;
  const top = y + (LANE - tall) / 2;
  context.fillStyle = colors.status[status];
  context.strokeStyle = colors.status[status];
  context.beginPath();
  context.roundRect(x, top, wide, tall, Math.min(3, wide / 2));
  const counts = countsOf(bar);
  if (counts[status] !== count) {
    drawShares(picture, counts, { x, wide, top, tall, status, count });
    return;
  }
  // Each status has its shape: hollow if cancelled, dashed if there was nothing to do, striped if lost, and
  // with a line at its end if timed out.
  if (status === "skipped" || status === "cancelled") {
    context.lineWidth = 1.5;
    context.setLineDash(status === "skipped" ? [2, 2] : []);
    context.stroke();
    context.setLineDash([]);
  } else {
    context.fill();
  }
  if (wide >= 8) drawInside(picture, { x, wide, top, tall, status, count });
}

/**
 * Several runs with different statuses: each status has its share of the height, below the most frequent one.
 */
function drawShares(picture: Picture, counts: Counts, box: Box): void {
  const { context, colors } = picture;
  const { x, wide, top, tall, count } = box;
  const numberOf = (status: Status): number => counts[status] ?? 0;
  const [most, ...others] = ALL_STATUSES.filter(numberOf).sort((a, b) => numberOf(b) - numberOf(a));
  if (most === undefined) return;
  context.fillStyle = colors.status[most];
  context.fill();
  context.save();
  context.clip();
  let y = top + tall;
  for (const status of others) {
    const height = Math.max(LEAST_SHARE, (tall * numberOf(status)) / count);
    y -= height;
    context.fillStyle = colors.status[status];
    context.fillRect(x, y, wide, height);
  }
  context.restore();
  drawCount(picture, box, colors.bg);
}

interface Box {
  readonly x: number;
  readonly wide: number;
  readonly top: number;
  readonly tall: number;
  readonly status: Bar[2];
  readonly count: number;
}

function drawInside(picture: Picture, box: Box): void {
  const { context, colors } = picture;
  const { x, wide, top, tall, status } = box;
  context.fillStyle = colors.bg;
  if (status === "lost") {
    for (let at = x + 3; at < x + wide - 1; at += 5) context.fillRect(at, top, 1.5, tall);
  } else if (status === "timeout") {
    context.fillRect(x + wide - 4, top, 1.5, tall);
  }
  drawCount(picture, box, status === "skipped" || status === "cancelled" ? colors.text : colors.bg);
}

function drawCount({ context }: Picture, { x, wide, top, tall, count }: Box, color: string): void {
  if (count <= 1 || wide < FOR_COUNT) return;
  const text = String(count);
  context.save();
  context.beginPath();
  context.rect(x, top, wide, tall);
  context.clip();
  context.font = `600 ${context.font.replace(/^.*?(?=\d)/, "")}`;
  const left = Math.max(x, 0);
  context.fillStyle = color;
  context.fillText(text, left + 6, top + tall / 2 + 0.5);
  context.restore();
}

function drawCursor(picture: Picture): void {
  const { context, cursor, lanes, scrolled, colors } = picture;
  if (cursor === undefined) return;
  const row = lanes.findIndex(({ name }) => name === cursor.lane);
  if (row === -1) return;
  const y = AXIS + row * LANE - scrolled;
  const x = xOf(picture, cursor.at);
  const wide = Math.max(cursor.kind === "tick" ? 12 : 3, xOf(picture, cursor.end) - x);
  context.strokeStyle = colors.text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - (cursor.kind === "tick" ? 8 : 3), y + 2, wide + (cursor.kind === "tick" ? 4 : 6), LANE - 5, 4);
  context.stroke();
}

function drawAxis(picture: Picture): void {
  const { context, width, height, colors, marks, changes, now } = picture;
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, width, AXIS);
  context.fillStyle = colors.line;
  context.fillRect(0, AXIS - 1, width, 1);
  for (const { at, text, isDay } of marks) {
    const x = xOf(picture, at);
    context.fillStyle = isDay ? colors.text : colors.dim;
    context.fillText(text, x + 5, AXIS / 2);
    context.fillStyle = colors.edge;
    context.fillRect(Math.round(x), AXIS - 9, 1, 9);
  }
  for (const { at, by } of changes) {
    const hours = Math.abs(by / 3_600_000);
    const text = `clocks ${by > 0 ? "+" : "−"}${hours} h`;
    const x = xOf(picture, at) + 5;
    context.fillStyle = colors.bg;
    context.fillRect(x - 3, 2, context.measureText(text).width + 6, AXIS - 6);
    context.fillStyle = colors.warnText;
    context.fillText(text, x, AXIS / 2);
  }
  const x = Math.round(xOf(picture, now));
  if (x < 0 || x > width) return;
  context.fillStyle = colors.accent;
  context.fillRect(x, AXIS - 6, 1.5, height);
  context.beginPath();
  context.arc(x + 0.75, AXIS - 7, 3.5, 0, 7);
  context.fill();
}
