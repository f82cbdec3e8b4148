import { short } from "../report/lines.js";
import type { Spread } from "../report/statistics.js";

/** One bar: a median with the spread of its rounds. */
export interface Bar {
  readonly label: string;
  readonly value: Spread;
  /** Where the bar should end at the latest. */
  readonly goal?: number;
}

/** A chart of horizontal bars. */
export interface Chart {
  readonly title: string;
  /** The title of the axis. */
  readonly axis: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LEFT = 250;
const RIGHT = 110;
const TOP = 56;
const ROW = 26;
const BOTTOM = 40;

/** A bar beyond it is cut, so that the others stay visible. */
const MOST = 4;

/** Colours are written out because not every SVG viewer supports CSS variables. */
export const STYLE: string = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; font-size: 15px; }
    .end { text-anchor: end; }
    .middle { text-anchor: middle; }
    .bar { fill: #7aa7dd; }
    .grid { stroke: #d1d9e0; }
    .one { stroke: #1f2328; stroke-dasharray: 4 3; }
    .spread { stroke: #1f2328; stroke-width: 1.5; }
    .goal { stroke: #bc4c00; stroke-width: 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #d1d7e0; }
      .bar { fill: #3f6ea8; }
      .grid { stroke: #3d444d; }
      .one, .spread { stroke: #d1d7e0; }
      .goal { stroke: #f0883e; }
    }`;

/** Draws a chart. A standalone picture that follows the reader's light or dark theme. */
export function svgOf({ title, axis, bars }: Chart): string {
  const height = TOP + bars.length * ROW + BOTTOM;
  const most = axisEnd(bars);
  const x = (value: number): string => (LEFT + (Math.min(value, most) / most) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const bottom = TOP + bars.length * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <text class="title" x="12" y="24">${escaped(title)}</text>`,
    ...ticks(most).flatMap((tick) => [
      `  <line class="${tick === 1 ? "one" : "grid"}" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP - 8}" y2="${bottom}"/>`,
      `  <text class="middle" x="${x(tick)}" y="${bottom + 18}">${tick}</text>`,
    ]),
    ...bars.flatMap((bar, i) => barLines(bar, TOP + i * ROW, { x, most })),
    `  <text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 36}">${escaped(axis)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function axisEnd(bars: readonly Bar[]): number {
  const longest = Math.max(1, ...bars.map(({ value, goal }) => Math.max(value.most, goal ?? 0)));
  return Math.min(MOST, Math.ceil(longest * 2) / 2);
}

function ticks(most: number): number[] {
  const step = most > 2 ? 1 : 0.5;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

interface Scale {
  readonly x: (value: number) => string;
  readonly most: number;
}

function barLines({ label, value, goal }: Bar, y: number, { x, most }: Scale): string[] {
  const { median, least, most: highest } = value;
  const middle = y + ROW / 2 - 3;
  const cut = highest > most ? " →" : "";
  return [
    `  <text class="end" x="${LEFT - 10}" y="${middle + 4}">${escaped(label)}</text>`,
    `  <rect class="bar" x="${LEFT}" y="${y + 2}" width="${(Number(x(median)) - LEFT).toFixed(1)}" height="${ROW - 10}"/>`,
    `  <line class="spread" x1="${x(least)}" x2="${x(highest)}" y1="${middle}" y2="${middle}"/>`,
    ...(goal === undefined
      ? []
      : [`  <line class="goal" x1="${x(goal)}" x2="${x(goal)}" y1="${y - 1}" y2="${y + ROW - 5}"/>`]),
    `  <text x="${WIDTH - RIGHT + 10}" y="${middle + 4}">${short(median)}${cut}</text>`,
  ];
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
