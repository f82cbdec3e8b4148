import { escaped, STYLE } from "./svg.js";

/** One line: points from left to right. */
export interface Curve {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A chart of lines on logarithmic axes: a cost that is proportional to its cause rises by 45 degrees. */
export interface CurveChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 80;
const RIGHT = 130;
const TOP = 56;
const BOTTOM = 60;

const COLOURS = ["#3f6ea8", "#bc4c00", "#1a7f37", "#8250df", "#9a6700"];

/** Draws a chart. Points at 0 or below are left out, because they have no logarithm. */
export function curvesSvg({ title, x, y, curves }: CurveChart): string {
  const shown = curves.map((curve) => ({ ...curve, points: curve.points.filter((point) => Math.min(...point) > 0) }));
  const all = shown.flatMap(({ points }) => points);
  const across = axis(
    all.map(([at]) => at),
    [LEFT, WIDTH - RIGHT],
  );
  const up = axis(
    all.map(([, at]) => at),
    [HEIGHT - BOTTOM, TOP],
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}\n    .curve { fill: none; stroke-width: 2; }\n  </style>`,
    `  <text class="title" x="12" y="24">${escaped(title)}</text>`,
    `  <text x="12" y="44">${escaped(y)}</text>`,
    ...across.ticks.flatMap((tick) => [
      `  <line class="grid" x1="${across.at(tick)}" x2="${across.at(tick)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`,
      `  <text class="middle" x="${across.at(tick)}" y="${HEIGHT - BOTTOM + 18}">${tick.toLocaleString("en")}</text>`,
    ]),
    ...up.ticks.flatMap((tick) => [
      `  <line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up.at(tick)}" y2="${up.at(tick)}"/>`,
      `  <text class="end" x="${LEFT - 8}" y="${Number(up.at(tick)) + 4}">${tick.toLocaleString("en")}</text>`,
    ]),
    ...shown.flatMap((curve, i) => curveLines(curve, COLOURS[i % COLOURS.length] ?? "", { across, up })),
    `  <text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}">${escaped(x)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

interface Axis {
  readonly at: (value: number) => string;
  readonly ticks: readonly number[];
}

/** A logarithmic axis with a tick at each power of ten around the values. */
function axis(values: readonly number[], [from, to]: readonly [number, number]): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    at: (value) => (from + ((Math.log10(value) - low) / (high - low)) * (to - from)).toFixed(1),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

function curveLines({ label, points }: Curve, colour: string, { across, up }: { across: Axis; up: Axis }): string[] {
  const last = points.at(-1);
  if (last === undefined) return [];
  const places = points.map(([x, y]) => [across.at(x), up.at(y)] as const);
  return [
    `  <polyline class="curve" stroke="${colour}" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
    ...places.map(([x, y]) => `  <circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`),
    `  <text x="${Number(across.at(last[0])) + 8}" y="${Number(up.at(last[1])) + 4}">${escaped(label)}</text>`,
  ];
}
