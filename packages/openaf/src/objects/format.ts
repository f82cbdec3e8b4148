import { isIPv4, isIPv6 } from "node:net";
import { BYTES, genPass } from "../crypto.js";
import { type Functions, toBoolean } from "../data/types.js";
import { NUMBERS } from "../format/numbers.js";
import { withSideLine } from "../format/side-line.js";
import { SIDE_LINES } from "../format/symbols.js";
import { escapeHTML, TEXT } from "../format/text.js";
import { TIMES } from "../format/times.js";
import { checkVersionSpec, compareSemantic, compareVersion } from "../format/versions.js";
import { isHost, isURL } from "../net/names.js";
import { NET } from "../net/net.js";
import { SYSTEM } from "../shell/system.js";
import { toSLON } from "../text/slon.js";

/** A text in which the characters that a pattern reads otherwise stand for themselves. */
function escapeRE(text: unknown): string {
  return String(text).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The object `ow.format`. */
export const FORMAT: Functions = {
  ...NUMBERS,
  ...TIMES,
  ...BYTES,
  ...SYSTEM,
  ...SIDE_LINES,
  string: { ...TEXT, genPass },
  withSideLine,
  escapeHTML,
  escapeRE,
  escapeString: (text: string, except: string = ""): string =>
    text.replace(/[.$?*|{}()[\]\\/+^]/g, (char) => (except.includes(char) ? char : `\\${char}`)),
  compareVersion,
  checkVersionSpec,
  sortSemanticVersions: (list: string[]): string[] => list.sort(compareSemantic),
  isIPv4: (text: unknown): boolean => isIPv4(String(text)),
  isIPv6: (text: unknown): boolean => isIPv6(String(text)),
  isHost,
  testPort: NET["testPort"],
  testPortLatency: NET["testPortLatency"],
  testURLLatency: NET["testURLLatency"],
  isEmail: (text: unknown): boolean => typeof text === "string" && /^[\w.+-]*[\w.-]@(\w[\w-]*\.)+\w+\w$/.test(text),
  isURL,
  toSLON,
  toCSLON: toSLON,
  toBoolean,
  now: (): number => Date.now(),
  bool: TEXT["bool"],
};
