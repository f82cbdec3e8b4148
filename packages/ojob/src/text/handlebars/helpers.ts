import type { HelperDelegate, HelperOptions } from "handlebars";
import { type Variables, variableOf } from "../environment.js";

/** The state of a `$switch`, for the `$case` and `$default` in it. */
interface Switch {
  readonly value: unknown;
  done: boolean;
}

function orElse(value: unknown, otherwise: unknown): unknown {
  return value ?? (isOptions(otherwise) ? undefined : otherwise);
}

/** Handlebars passes its options after the arguments, so they stand where an argument is missing. */
function isOptions(value: unknown): value is HelperOptions {
  return typeof value === "object" && value !== null && "hash" in value && "data" in value;
}

/** The environment that the caller of the template has named. */
function variablesOf(options: unknown): Variables {
  return isOptions(options) ? options.data.variables : {};
}

function numbers(given: readonly unknown[]): readonly number[] {
  return given.filter((value): value is number => typeof value === "number");
}

function content(options: HelperOptions, context: unknown, otherwise: unknown): unknown {
  return typeof options.fn === "function" ? options.fn(context) : otherwise;
}

/** Helpers that OpenAF gives to each template, those that need nothing but Node. */
export const HELPERS: Readonly<Record<string, HelperDelegate>> = {
  $: orElse,
  $nvl: orElse,
  $stringify: (value: unknown) => JSON.stringify(value, null, 2),
  $toJSON: (value: unknown) => JSON.stringify(value, null, 2),
  $stringifyInLine: (value: unknown) => JSON.stringify(value),
  $env: (name: unknown, ...rest: unknown[]) => orElse(variableOf(variablesOf(rest.at(-1)), String(name)), rest[0]),
  $number: (value: unknown) => Number(value),
  $boolean: (value: unknown) => (typeof value === "string" ? value.trim().toLowerCase() === "true" : Boolean(value)),
  $string: (value: unknown) => String(value),
  $date: (value: unknown) => new Date(value as string),
  $isoDate: (value: unknown) => new Date(value as string).toISOString(),
  $keys: (value: unknown) => Object.keys(value ?? {}),
  $values: (value: unknown) => Object.values(value ?? {}),
  $len: (value: unknown) => (value as { length?: number } | undefined)?.length,
  $repeat: (times: unknown, text: unknown) => String(text).repeat(Number(times)),
  $range: (...given: unknown[]) => {
    const [count = 1, start = 1, step = 1] = numbers(given);
    return Array.from({ length: count }, (_, index) => (index + start) * step);
  },
  $concat: (...given: unknown[]) => given.filter((value) => typeof value === "string").join(""),
  $nl: () => "\n",
  $pass: () => "",
  $p: (value: unknown) => value,
  $switch(this: unknown, value: unknown, options: HelperOptions) {
    const state: Switch = { value, done: false };
    return options.fn(this, { data: { ...options.data, switch: state } });
  },
  $case(this: unknown, value: unknown, options: HelperOptions) {
    const state = options.data?.switch as Switch | undefined;
    // Texts of a template are compared with numbers of the data, as in OpenAF.
    if (state === undefined || String(state.value) !== String(value)) return "";
    state.done = true;
    return content(options, this, true);
  },
  $default(this: unknown, value: unknown, options: HelperOptions | undefined) {
    const used = isOptions(value) ? value : options;
    if ((used?.data?.switch as Switch | undefined)?.done !== false) return "";
    return isOptions(value) ? content(value, this, "") : value;
  },
};
