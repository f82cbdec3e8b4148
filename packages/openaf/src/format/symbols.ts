import type { Functions } from "../data/types.js";

/** The symbols of `ow.format.syms()`. */
export const SYMBOLS = {
  check_mark: "✔",
  light_check_mark: "✓",
  cross_mark: "✖",
  light_cross_mark: "✕",
  pause: "⏸",
  stop: "⏹",
  play: "▷",
  offonstandby: "⏻",
  offon: "⏼",
  form_checkmark: "☑",
  form_crossmark: "☒",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  asterism: "⁂",
  fullrightfinger: "☛",
  rightfinger: "☞",
  fullstar: "★",
  star: "☆",
  square: "□",
  space: "␣",
  cloud: "☁",
  thumbsup: "👍",
  thumbsdown: "👎",
  cross: "┼",
  crossHLeft: "┤",
  crossHRight: "├",
  crossVBottom: "┬",
  crossVTop: "┴",
  lineHRight: "╶",
  lineHLeft: "╴",
  lineVTop: "╵",
  lineVBottom: "╷",
  lineH: "─",
  lineTRight: "└",
  lineBRight: "┌",
  lineBLeft: "┐",
  lineTLeft: "┘",
  curveTRight: "╰",
  curveBRight: "╭",
  curveBLeft: "╮",
  curveTLeft: "╯",
  lineV: "│",
  dlineV: "║",
  dlineH: "═",
  turnBRight: "╔",
  turnTRight: "╚",
  turnTLeft: "╝",
  turnBLeft: "╗",
  dcrossHRight: "╠",
  dcrossHLeft: "╣",
  dcrossVBottom: "╦",
  dcrossVTop: "╩",
  dcross: "╬",
  lBToT: "╱",
  lTToB: "╲",
  lCross: "╳",
  patternLight: "░",
  patternMedium: "▒",
  patternDark: "▓",
  blockH: "━",
} as const;

/** The characters at the places of a frame. */
export interface SideLineTheme {
  readonly tab?: string;
  readonly ltop?: string;
  readonly tmiddle?: string;
  readonly rtop?: string;
  readonly lmiddle?: string;
  readonly rmiddle?: string;
  readonly lbottom?: string;
  readonly bmiddle?: string;
  readonly rbottom?: string;
}

const { lineV, lineH, dlineV, dlineH } = SYMBOLS;
const left = (ltop?: string, lbottom?: string): SideLineTheme => ({
  lmiddle: lineV,
  ...(ltop && { ltop }),
  ...(lbottom && { lbottom }),
});
const sides = { lmiddle: lineV, rmiddle: lineV };
const [top, bottom] = [
  { ltop: "┌", rtop: "┐" },
  { lbottom: "└", rbottom: "┘" },
];
const [curvedTop, curvedBottom] = [
  { ltop: "╭", rtop: "╮" },
  { lbottom: "╰", rbottom: "╯" },
];
const [doubleTop, doubleBottom] = [
  { ltop: "╔", rtop: "╗" },
  { lbottom: "╚", rbottom: "╝" },
];
const lines = { tmiddle: lineH, bmiddle: lineH };
const spaces = {
  ltop: " ",
  rtop: " ",
  tmiddle: " ",
  lmiddle: " ",
  rmiddle: " ",
  lbottom: " ",
  bmiddle: " ",
  rbottom: " ",
};

/** The frames of `ow.format.withSideLineThemes()`. */
export const THEMES: Readonly<Record<string, SideLineTheme>> = {
  closedOneSpace: spaces,
  simpleOneSpace: { lmiddle: " " },
  simpleLine: left(),
  doubleOneSpace: { lmiddle: " ", rmiddle: " " },
  doubleLine: sides,
  simpleLineWithTips: left("╷", "╵"),
  simpleLineWithBottomTip: left(undefined, "╵"),
  simpleLineWithTopTip: left("╷"),
  simpleLineWithCTips: left("╭", "╰"),
  simpleLineWithCBottomTip: left(undefined, "╰"),
  simpleLineWithCTopTip: left("╭"),
  simpleLineWithRTips: left("┌", "└"),
  simpleLineWithRTopTip: left("┌"),
  simpleLineWithRBottomTip: left(undefined, "└"),
  doubleLineWithRTips: { ...doubleTop, ...doubleBottom, lmiddle: dlineV, rmiddle: dlineV },
  doubleLineBothSides: { lmiddle: dlineV, rmiddle: dlineV },
  closedRect: { ...top, ...bottom, ...sides, ...lines },
  closedDoubleRect: {
    ...doubleTop,
    ...doubleBottom,
    lmiddle: dlineV,
    rmiddle: dlineV,
    tmiddle: dlineH,
    bmiddle: dlineH,
  },
  closedCurvedRect: { ...curvedTop, ...curvedBottom, ...sides, ...lines },
  openTopRect: { ...bottom, ...sides, bmiddle: lineH },
  openBottomRect: { ...top, ...sides, tmiddle: lineH },
  openRect: { ...top, ...bottom, ...sides },
  openTopCurvedRect: { ...curvedBottom, ...sides, bmiddle: lineH },
  openBottomCurvedRect: { ...curvedTop, ...sides, tmiddle: lineH },
  openCurvedRect: { ...curvedTop, ...curvedBottom, ...sides },
  openCurvedSpace: { ...curvedTop, ...curvedBottom, lmiddle: " ", rmiddle: " " },
};

/** `ow.format.syms()` and `ow.format.withSideLineThemes()`. */
export const SIDE_LINES: Functions = {
  syms: (): typeof SYMBOLS => SYMBOLS,
  withSideLineThemes: (): typeof THEMES => THEMES,
};
