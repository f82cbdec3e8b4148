import type { ClockChange, Mark } from "../model/axis.js";
import type { Item, LiveLane, Range } from "../model/items.js";
import type { Colors } from "./colors.js";

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
export const xOf = ({ range: { from, to }, width }: Pick<Picture, "range" | "width">, at: number): number =>
  ((at - from) / (to - from)) * width;
