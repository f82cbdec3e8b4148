import type { Args, NotifyRule } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate } from "../../text/template.js";
import { fillAll } from "../../text/variables.js";
import type { Surroundings } from "../environment/surroundings.js";
import { requiredVariable } from "../file-checks/required.js";

/** What stands for a value that is not known as the file is only looked at, so that the rest is checked. */
const STANDS_FOR: Readonly<Record<string, (count: number) => string>> = {
  webhook: (count) => `https://example.com/${count}`,
  slack: (count) => `https://example.com/${count}`,
  healthchecks: (count) => `https://example.com/${count}`,
  url: () => "https://example.com",
  smtp: (count) => `smtp://host${count}.example.com`,
  secret: () => "whsec_AAAAAAAAAAAAAAAA",
  to: () => "a@example.com",
  from: () => "a@example.com",
};

/** What texts are filled from. */
export interface FilledFrom {
  /** The arguments that all jobs have; `undefined` for a config, which has no arguments and no secrets. */
  readonly args: Args | undefined;
  readonly around: Surroundings;
}

/** Fills the texts of rules from the arguments, the secrets and the environment of their file. */
export class RuleFiller {
  readonly #data: Args;
  readonly #around: Surroundings;
  readonly #problems: Problems;
  readonly #isConfig: boolean;
  #count = 0;

  constructor({ args, around }: FilledFrom, problems: Problems) {
    const secrets = around.secrets.names.flatMap((name) => {
      const value = around.secrets.valueOf(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    this.#data = { ...args, ...Object.fromEntries(secrets) };
    this.#around = around;
    this.#isConfig = args === undefined;
    this.#problems = problems;
  }

  /** The values of a rule, filled. */
  fill({ values, places, at }: NotifyRule): Args {
    return this.#map(values, "", (path) => placeOf(path, places) ?? at) as Args;
  }

  #map(value: unknown, path: string, placeAt: (path: string) => Position): unknown {
    if (typeof value === "string") return this.#text(value, path, placeAt(path));
    if (Array.isArray(value)) return value.map((item) => this.#map(item, path, placeAt));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      return [key, this.#map(item, path === "" ? key : `${path}.${key}`, placeAt)] as const;
    });
    return Object.fromEntries(entries);
  }

  #text(text: string, path: string, at: Position): unknown {
    const isTemplate = firstTemplate(text) !== undefined;
    const { values, environment } = this.#around;
    if (isTemplate && values !== "needed") return STANDS_FOR[path.split(".").at(-1) ?? ""]?.(this.#count++) ?? text;
    const missing = (written: string, message?: string): void => {
      const name = /[^\s{}$.:[\]]+/.exec(written)?.[0] ?? "it";
      const how = written.startsWith("$")
        ? `Set ${name} in the environment.`
        : this.#isConfig
          ? `Write \${${name}}, and set ${name} in the environment.`
          : `Define a secret "${name}" under "ojob", or add ${name}=… to the command line.`;
      const why =
        message === undefined ? `nothing fills ${written} in "notify". ${how}` : requiredVariable(written, message);
      this.#problems.flaw(why, at);
    };
    return fillAll(text, this.#data, { missing, keep: true, variables: environment.all });
  }
}

/** The place of the innermost map or value on a path that is known. */
export function placeOf(path: string, places: NotifyRule["places"]): Position | undefined {
  for (let known = path; known !== ""; known = known.slice(0, Math.max(0, known.lastIndexOf(".")))) {
    const at = Object.hasOwn(places, known) ? places[known] : undefined;
    if (at !== undefined) return at;
  }
  return undefined;
}
