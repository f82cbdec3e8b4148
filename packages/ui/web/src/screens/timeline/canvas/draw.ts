import type { Bar, Counts, Status, TickView } from "../../../api/types.js";
import { ALL_STATUSES, problemOf, tickState } from "../../../format/states.js";
import type { ClockChange, Mark } from "../model/axis.js";
import { barsOf, countsOf, crowdOf, type Item, LEAST, type LiveLane, type Range } from "../model/items.js";

/** The heights of a lane and of the axis, in px. The style sheet has the same values. */
export const LANE = 28;
export const AXIS = 32;

/** The input of a drawing. */
export interface Picture {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly colors: Colors;
  readonly range: Range;
  readonly now: number;
  readonly marks: readonly Mark[];
  readonly changes: readonly ClockChange[];
  readonly lanes: readonly LiveLane[];
  readonly scrolled: number;
  readonly cursor: Item | undefined;
  readonly font: string;
}

/** Where a time is, in px. */
const xOf = ({ range: { from, to }, width }: Pick<Picture, "range" | "width">, at: number): number =>
  ((at - from) / (to - from)) * width;

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
    for (const { at } of lane.marks ?? []) drawFlag(picture, at, y);
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
const FLAT = 10;

/** From this width on, the bar shows the number of runs, in px. */
const FOR_COUNT = 22;

/** The least height of a status in a bar of runs, in px: one failure of a thousand must be visible. */
const LEAST_SHARE = 4;

function drawBar(picture: Picture, bar: Bar, y: number): void {
  const { context, width, colors } = picture;
  const [start, end, status, count] = bar;
  const x = xOf(picture, start);
  const wide = Math.max(LEAST, xOf(picture, end) - x);
  if (x > width || x + wide < 0) return;
  const isBad = status === "failed" || status === "timeout" || status === "lost";
  const tall = isBad || status === "running" || (count > 1 && wide >= FOR_COUNT) ? TALL : FLAT;
  const top = y + (LANE - tall) / 2;
  context.fillStyle = colorOf(colors, status);
  context.strokeStyle = colorOf(colors, status);
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

/** The color of a status. A later version of ojm may write one that these pages do not know. */
function colorOf({ status: colors, quiet }: Colors, status: Status): string {
  return Object.hasOwn(colors, status) ? colors[status] : quiet;
}

/** Several statuses: each one has its share of the height, below the most frequent one. */
function drawShares(picture: Picture, counts: Counts, box: Box): void {
  const { context, colors } = picture;
  const { x, wide, top, tall, count } = box;
  const numberOf = (status: Status): number => counts[status] ?? 0;
  const all = new Set([...ALL_STATUSES, ...(Object.keys(counts) as Status[])]);
  const [most, ...others] = [...all].filter(numberOf).sort((a, b) => numberOf(b) - numberOf(a));
  if (most === undefined) return;
  context.fillStyle = colorOf(colors, most);
  context.fill();
  context.save();
  context.clip();
  let y = top + tall;
  for (const status of others) {
    const height = Math.max(LEAST_SHARE, (tall * numberOf(status)) / count);
    y -= height;
    context.fillStyle = colorOf(colors, status);
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
  const wide = Math.max(cursor.kind === "bar" ? 3 : 12, xOf(picture, cursor.end) - x);
  context.strokeStyle = colors.text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - (cursor.kind === "bar" ? 3 : 8), y + 2, wide + (cursor.kind === "bar" ? 6 : 4), LANE - 5, 4);
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

/** The kinds of marks, the least important first: where marks overlap, the worst must be visible. */
const KINDS = ["next", "waiting", "skipped", "overdue", "bad"] as const;

type Kind = (typeof KINDS)[number];

/** How far the background of a mark extends beyond it, in px: it makes a mark on a bar visible. */
const EDGE = 2;

/** The scale of a mark among narrow bars, and its centre in the lane: it must not hide them. */
const SMALL = 0.5;
const LOW = LANE - 6;

/** Draws the ticks of a lane above its bars, or below them where bars are dense. The worst ones come last. */
function drawTicks(picture: Picture, ticks: readonly TickView[], bars: readonly Bar[], y: number): void {
  if (ticks.length === 0) return;
  const isCrowded = crowdOf(bars, (at) => xOf(picture, at));
  const marked = ticks.map((tick) => ({ tick, mark: markOf(tick, picture.now) }));
  for (const each of KINDS) {
    const placed = marked
      .filter(({ mark }) => mark === each)
      .flatMap(({ tick }) => placedOf(picture, tick, each, y, isCrowded));
    // All backgrounds first: the background of a mark must not cover the mark beside it.
    for (const one of placed) drawGround(picture, one);
    for (const one of placed) drawMark(picture, one);
  }
}

/** A change, as a flag at the top of its lane: ticks and bars are in the middle. */
function drawFlag(picture: Picture, at: number, y: number): void {
  const { context, colors, width } = picture;
  const x = Math.round(xOf(picture, at));
  if (x < -8 || x > width) return;
  context.fillStyle = colors.dim;
  context.fillRect(x, y + 1, 1, LANE - 3);
  context.fill(closed([x, y + 1], [x + 7, y + 4], [x, y + 7]));
}

function markOf(tick: TickView, now: number): Kind {
  const { outcome, skipped } = tick;
  if (outcome === "missed" || outcome === "refused") return "bad";
  if (outcome === "skipped" || (outcome === undefined && skipped !== undefined)) return "skipped";
  if (outcome === "waiting") return "waiting";
  return tickState(tick, now) === problemOf("overdue") ? "overdue" : "next";
}

interface Shape {
  readonly outline: Path2D;
  readonly inside?: Path2D;
}

interface Placed extends Shape {
  readonly mark: Kind;
  /** Several ticks in a row have a line over their whole time. */
  readonly line?: Path2D;
  readonly isBroken: boolean;
  readonly size: number;
}

/** Empty for a tick outside the picture. */
function placedOf(
  picture: Picture,
  tick: TickView,
  mark: Kind,
  y: number,
  isCrowded: (x: number) => boolean,
): Placed[] {
  const x = xOf(picture, tick.due);
  const end = tick.until === undefined ? x : xOf(picture, tick.until);
  if (x > picture.width + 8 || end < -8) return [];
  const [size, middle] = isCrowded(x) ? [SMALL, y + LOW] : [1, y + LANE / 2];
  const line = end - x > 8 ? new Path2D() : undefined;
  line?.moveTo(x, middle);
  line?.lineTo(end, middle);
  const isBroken = tick.unattended === true && mark === "next";
  return [{ ...SHAPES[mark](x, middle, size), mark, isBroken, size, ...(line && { line }) }];
}

function drawGround({ context, colors }: Picture, { mark, outline, line, size }: Placed): void {
  context.lineJoin = "round";
  context.lineWidth = widthOf(size) + 2 * EDGE * size;
  context.strokeStyle = colors.bg;
  if (line !== undefined) context.stroke(line);
  if (mark === "next") return;
  context.stroke(outline);
  context.fillStyle = colors.bg;
  context.fill(outline);
}

function drawMark({ context, colors }: Picture, { mark, outline, inside, line, isBroken, size }: Placed): void {
  context.lineWidth = widthOf(size);
  context.strokeStyle = mark === "bad" ? colors.bad : mark === "next" ? colors.quiet : colors.warn;
  if (line !== undefined) {
    context.setLineDash([3, 3]);
    context.stroke(line);
    // Not through the mark, where the line would look like a part of it.
    context.fillStyle = colors.bg;
    context.fill(outline);
  }
  context.setLineDash(isBroken ? [2.5, 2] : []);
  context.stroke(outline);
  context.setLineDash([]);
  if (inside !== undefined) context.stroke(inside);
}

const widthOf = (size: number): number => (size === 1 ? 1.75 : 1.25);

/**
 * The shapes: a ring is a coming tick, broken if no process runs it. An hourglass is a waiting tick, a
 * triangle a skipped one, a cross on a disc a missed or refused one, a clock an overdue one.
 */
const SHAPES: Readonly<Record<Kind, (x: number, y: number, size: number) => Shape>> = {
  next: (x, y, size) => ({ outline: disc(x, y, 3.5 * size) }),
  waiting: (x, y, size) => {
    const [half, tall] = [4 * size, 5 * size];
    return {
      outline: closed([x - half, y - tall], [x + half, y - tall], [x - half, y + tall], [x + half, y + tall]),
    };
  },
  skipped: (x, y, size) => {
    const [half, low] = [5 * size, y + 4.5 * size];
    return { outline: closed([x - half, low], [x, y - 5 * size], [x + half, low]) };
  },
  overdue: (x, y, size) => {
    const inside = new Path2D();
    inside.moveTo(x, y - 3 * size);
    inside.lineTo(x, y);
    inside.lineTo(x + 2.5 * size, y + size);
    return { outline: disc(x, y, 5 * size), inside };
  },
  bad: (x, y, size) => {
    const inside = new Path2D();
    for (const side of [-3 * size, 3 * size]) {
      inside.moveTo(x - side, y - 3 * size);
      inside.lineTo(x + side, y + 3 * size);
    }
    return { outline: disc(x, y, 6.5 * size), inside };
  },
};

function closed(...points: readonly (readonly [x: number, y: number])[]): Path2D {
  const path = new Path2D();
  for (const [x, y] of points) path.lineTo(x, y);
  path.closePath();
  return path;
}

function disc(x: number, y: number, radius: number): Path2D {
  const path = new Path2D();
  path.arc(x, y, radius, 0, 7);
  return path;
}

const STATUS: Readonly<Record<Status, string>> = {
  completed: "--b-completed",
  running: "--b-running",
  failed: "--b-failed",
  timeout: "--b-timeout",
  lost: "--b-lost",
  cancelled: "--b-quiet",
  skipped: "--b-quiet",
};

const NAMES = {
  ...{ bg: "--bg", line: "--line", edge: "--edge", text: "--text", dim: "--dim", side: "--side", hover: "--hover" },
  ...{ accent: "--solid", warn: "--b-warn", warnText: "--s-warn", bad: "--b-failed", quiet: "--b-quiet" },
} as const;

/** The colours of the canvas, in the current theme. */
export interface Colors extends Readonly<Record<keyof typeof NAMES, string>> {
  readonly status: Readonly<Record<Status, string>>;
}

/** Reads the colours. A variable has both themes, an element that uses it has one. `light` is for paper. */
export function colorsOf(element: HTMLElement, scheme: "light" | "inherit"): Colors {
  const probe = document.createElement("i");
  // Forced colours would make all of them one. The canvas uses the system colours where the variables name
  // them.
  probe.style.cssText = `forced-color-adjust: none; color-scheme: ${scheme}`;
  element.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const all = <K extends string>(names: Readonly<Record<K, string>>): Record<K, string> =>
    Object.fromEntries(Object.entries<string>(names).map(([key, name]) => [key, read(name)])) as Record<K, string>;
  const colors = { ...all(NAMES), status: all(STATUS) };
  probe.remove();
  return colors;
}
