import type { Functions } from "../data/types.js";
import { NET } from "../net/net.js";
import { $output } from "../print/output.js";
import { thread } from "../thread.js";
import { FORMAT } from "./format.js";
import { OBJ } from "./obj.js";

const template: Functions = {
  parse: (text: unknown, data?: unknown): string => thread.templify(text, data),
  // The helpers that there are, are always there.
  addOpenAFHelpers: (): void => {},
};

const oJob: Functions = { output: $output };

/** The object `ow`. Its parts are always there: to load one only returns it. */
export const ow: Functions = {
  format: FORMAT,
  obj: OBJ,
  net: NET,
  template,
  oJob,
  loadFormat: (): Functions => FORMAT,
  loadObj: (): Functions => OBJ,
  loadNet: (): Functions => NET,
  loadTemplate: (): Functions => template,
  loadOJob: (): Functions => oJob,
};
