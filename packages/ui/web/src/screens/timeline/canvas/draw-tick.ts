import type { Bar, TickView } from "../../../api/types.js";
import { problemOf, tickState } from "../../../format/states.js";
import { crowdOf } from "../model/crowd.js";
import { LANE, type Picture, xOf } from "./picture.js";

/** The kinds of marks, the least important first: where marks overlap, the worst must be visible. */
const MARKS = ["next", "waiting", "skipped", "overdue", "bad"] as const;

type Mark = (typeof MARKS)[number];

/**
 * How far the background of a mark extends beyond it, in px: without it, a mark on a bar would not be
 * visible.
 */
const EDGE = 2;

/** The scale of a mark among narrow bars, and its centre in the lane: it must not hide them. */
const SMALL = 0.5;
const LOW = LANE - 6;

/** Draws the ticks of a lane above its bars, or below them where bars are dense. The worst ones come last. */
export function drawTicks(picture: Picture, ticks: readonly TickView[], bars: readonly Bar[], y: number): void {
  if (ticks.length === 0) return;
  const isCrowded = crowdOf(bars, (at) => xOf(picture, at));
  const marked = ticks.map((tick) => ({ tick, mark: markOf(tick, picture.now) }));
  for (const each of MARKS) {
    const placed = marked
      .filter(({ mark }) => mark === each)
      .flatMap(({ tick }) => placedOf(picture, tick, each, y, isCrowded));
    // All backgrounds first: the background of a mark must not cover the mark beside it.
    for (const one of placed) drawGround(picture, one);
    for (const one of placed) drawMark(picture, one);
  }
}

function markOf(tick: TickView, now: number): Mark {
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

/** A mark at its place. */
interface Placed extends Shape {
  readonly mark: Mark;
  /** Several ticks in a row have a line over their whole time. */
  readonly line?: Path2D;
  readonly isBroken: boolean;
  readonly size: number;
}

/** Empty for a tick outside the picture. */
function placedOf(
  picture: Picture,
  tick: TickView,
  mark: Mark,
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
const SHAPES: Readonly<Record<Mark, (x: number, y: number, size: number) => Shape>> = {
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
