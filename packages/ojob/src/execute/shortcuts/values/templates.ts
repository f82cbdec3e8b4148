import type { HelperDelegate } from "handlebars";
import type { Args } from "../../../load/job-file.js";
import { requiredText } from "../../../plan/file-checks/required.js";
import { needsHandlebars } from "../../../plan/shortcuts/check-texts.js";
import { templify as templifyPlain } from "../../../script/worker/functions/templify.js";
import type { Variables } from "../../../text/environment.js";
import { asData, fillBlocks } from "../../../text/handlebars/handlebars.js";
import { fillAll, type MissingValue } from "../../../text/variables.js";
import { isMap, readPath } from "./paths.js";

/** Receives each template without a value: the argument or option that holds it, and how it is written. */
export type Missing = (option: string, written: string) => void;

/** What templates are filled from. */
export interface TemplateData {
  readonly args: Args;
  /** What $get has. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The environment. */
  readonly variables: Variables;
}

/** Fills the templates of a shortcut. */
export class Templates {
  readonly #args: Args;
  readonly #helpers: Readonly<Record<string, HelperDelegate>>;
  readonly #variables: Variables;
  readonly #missing: Missing;

  constructor({ args, values, variables }: TemplateData, missing: Missing) {
    this.#args = args;
    this.#variables = variables;
    this.#missing = missing;
    this.#helpers = {
      $get: (key: unknown) => asData(values.get(String(key))),
      $path: (data: unknown, path: unknown) => asData(readPath(data, String(path))),
    };
  }

  /** Fills every text in a value, as in `args`: also from the fields of a map that are filled before. */
  fill(value: unknown, option: string): unknown {
    if (!isMap(value)) return this.#fill(value, option, this.#args);
    const filled: Args = {};
    for (const [key, item] of Object.entries(value)) {
      const result = this.#fill(item, key, { ...this.#args, ...filled });
      if (result !== undefined) filled[key] = result;
    }
    return filled;
  }

  /** Fills a template of Handlebars, as `templify` does: what has no value becomes nothing. */
  templify(text: string, data: unknown): string {
    if (!needsHandlebars(text) && !text.includes("$env")) return templifyPlain(text, data ?? {});
    return fillBlocks(text, data ?? {}, { html: true, helpers: this.#helpers, variables: this.#variables });
  }

  #fill(value: unknown, option: string, data: Args): unknown {
    if (typeof value === "string") {
      const missing: MissingValue = (written, message) => {
        if (message !== undefined) throw new Error(requiredText(option, written, message));
        this.#missing(option, written);
      };
      const variables = this.#variables;
      if (!needsHandlebars(value)) return fillAll(value, data, { missing, keep: option === "name", variables });
      const filling = { html: false, helpers: this.#helpers, variables };
      return fillBlocks(value, data, { ...filling, missing: (path) => missing(`{{${path}}}`) });
    }
    if (Array.isArray(value)) return value.map((item) => this.#fill(item, option, data));
    if (!isMap(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#fill(item, option, data)]));
  }
}
