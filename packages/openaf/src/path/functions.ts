import { uniqArray } from "../data/compare.js";
import { $a2m, $a4m, $m2a, $m4a } from "../data/keyed.js";
import { merge } from "../data/merge.js";
import { getPath, setPath, unsetPath } from "../data/path.js";
import { type Fields, isDate, isNumber } from "../data/types.js";
import { searchKeys, searchValues } from "../data/walk.js";
import { fromDate } from "../format/dates.js";
import {
  fromBytesAbbreviation,
  fromSIAbbreviation,
  fromTimeAbbreviation,
  toAbbreviation,
  toBytesAbbreviation,
} from "../format/numbers.js";
import { printf } from "../format/printf.js";
import { toDate } from "../format/read-date.js";
import { fromISODate, timeago } from "../format/times.js";
import { $from } from "../query/from.js";
import { fromSLON, toSLON } from "../text/slon.js";
import { fromYAML, toYAML } from "../text/yaml.js";
import { thread } from "../thread.js";

/** A function that a path may call: how many values it takes, and what it makes of them. */
export type PathFunction = readonly [count: number, call: (...values: never[]) => unknown];

function dateOf(value: unknown): unknown {
  return isNumber(value) ? new Date(Number(value)) : fromISODate(String(value));
}

function isoDate(value: unknown): unknown {
  const date = dateOf(value);
  return isDate(date) ? date.toISOString() : value;
}

function json(value: unknown, space?: string): string {
  return thread.stringify(value, undefined, space);
}

/** What OpenAF adds to the functions of JMESPath. */
export const PATH_FUNCTIONS: Readonly<Record<string, PathFunction>> = {
  a2m: [2, $a2m],
  a4m: [3, $a4m],
  add: [2, (a: number, b: number) => a + b],
  amerge: [2, merge],
  concat: [2, (a: string, b: string) => a.concat(b)],
  count_by: [2, (list: unknown[], field: string) => $from(list).countBy(field)],
  delete: [2, unsetPath],
  div: [2, (a: number, b: number) => a / b],
  env: [1, (name: string) => process.env[name]],
  format: [2, (value: unknown, format: string) => printf(format, value)],
  formatn: [2, (value: unknown, format: string) => printf(format, value)],
  from_bytesAbbr: [1, (text: string) => fromBytesAbbreviation(text)],
  from_datef: [2, (value: Date | string, format: string) => fromDate(value, format)],
  from_json: [1, (text: string) => thread.jsonParse(text, true)],
  from_siAbbr: [1, fromSIAbbreviation],
  from_slon: [1, fromSLON],
  from_timeAbbr: [1, fromTimeAbbreviation],
  from_yaml: [1, fromYAML],
  geta: [2, getPath],
  group: [2, (list: unknown[], field: string) => $from(list).group(field)],
  group_by: [2, (list: unknown[], field: string) => $from(list).groupBy(field)],
  index_of: [2, (text: string, part: string) => text.indexOf(part)],
  insert: [3, setPath],
  last_index_of: [2, (text: string, part: string) => text.lastIndexOf(part)],
  lower_case: [1, (text: string) => text.toLowerCase()],
  m2a: [2, $m2a],
  m4a: [2, $m4a],
  match: [3, (text: string, pattern: string, flags: string) => new RegExp(pattern, flags).test(text)],
  mod: [2, (a: number, b: number) => a % b],
  mul: [2, (a: number, b: number) => a * b],
  now: [1, (ago: number) => Date.now() - ago],
  nvl: [2, (value: unknown, otherwise: unknown) => value ?? otherwise],
  replace: [
    4,
    (text: string, pattern: string, flags: string, by: string) => text.replace(new RegExp(pattern, flags), by),
  ],
  search_keys: [2, (value: unknown, key: string) => searchKeys(value, key)],
  search_values: [2, (value: unknown, text: string) => searchValues(value, text)],
  split: [2, (text: string, separator: string) => text.split(separator)],
  split_re: [2, (text: string, pattern: string) => text.split(new RegExp(pattern))],
  sub: [2, (a: number, b: number) => a - b],
  substring: [3, (text: string, from: number, to: number) => String(text).substring(from, to)],
  t: [2, (value: unknown, template: string) => thread.templify(template, value)],
  template: [2, (value: unknown, template: string) => thread.templify(template, value)],
  timeago: [1, (value: string) => timeago(value)],
  timeagoAbbr: [1, (value: string) => timeago(value, true)],
  to_bytesAbbr: [1, (bytes: number) => toBytesAbbreviation(bytes)],
  to_date: [1, dateOf],
  to_datef: [2, (text: string, format: string) => toDate(text, format)],
  to_isoDate: [1, isoDate],
  to_json: [2, (value: unknown, space: string) => json(value, space)],
  to_map: [2, (list: unknown[], field: string) => $from(list).mselect(undefined, field)],
  to_ms: [1, (value: unknown) => (isDate(value) ? value.getTime() : value)],
  to_numAbbr: [1, (number: number) => toAbbreviation(number)],
  to_slon: [1, (value: unknown) => toSLON(value)],
  to_yaml: [2, (value: Fields, multiDoc: boolean) => toYAML(value, multiDoc)],
  trim: [1, (text: string) => text.trim()],
  unique: [1, uniqArray],
  upper_case: [1, (text: string) => text.toUpperCase()],
};
