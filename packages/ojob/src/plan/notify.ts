import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Rule } from "@ojm/alerts";
import { check } from "../load/check.js";
import type { Args, JobFile, Notify, NotifyRule } from "../load/job-file.js";
import { readNotify, notify as shape } from "../load/notify.js";
import { child } from "../load/yaml/node.js";
import { parseYaml } from "../load/yaml/parse.js";
import { missingFile, saidPath } from "../text/files.js";
import { type Position, Problems, SourceFile } from "../text/problem.js";
import { fillAll, firstTemplate, requiredVariable } from "../text/template.js";
import { NOTHING_AROUND, type Surroundings } from "./environment.js";
import { Openers } from "./manager/openers.js";
import type { Plan, PlannedNotify } from "./planned.js";

/** The `notify` of a job file, filled and checked. Loads the package of the alerts only for one. */
export async function planNotify(
  file: JobFile,
  plan: Plan,
  from: FilledFrom,
  problems: Problems,
): Promise<PlannedNotify | undefined> {
  const { notify } = file.settings;
  const [first] = notify?.rules ?? [];
  // Problems in the shape of a rule have been reported already.
  if (notify === undefined || first === undefined || !problems.isWhole) return undefined;
  if (!new Openers(plan).any && ![...plan.jobs.values()].some(({ steps }) => steps.some(takesLock))) {
    problems.warn('"notify" reports the runs of the job manager, and no job of this file has any.', first.at);
  }
  return fillNotify(notify, from, problems);
}

/** Fills `notify` as it is written, in a job file or in a config, and checks it. */
async function fillNotify(written: Notify, from: FilledFrom, problems: Problems): Promise<PlannedNotify> {
  const fill = filling(from, problems);
  const before = problems.errors.length;
  const rules = written.rules.map((rule) => placed(fill(rule), rule, from.around, problems) as unknown as Rule);
  const { url: address } = written;
  const url = address && String(fill({ values: { url: address.text }, at: address.at, places: {} })["url"]);
  const notify = { rules, ...(url !== undefined && { url }) };
  // An unfilled value would only cause a second error.
  if (problems.errors.length === before) await checkAll(notify, written, problems);
  return notify;
}

function takesLock(step: Plan["onAnyError"][number]): boolean {
  return "job" in step && step.job.startsWith("oJobManager ");
}

/** A relative path of a program begins at the folder of the file; a bare name is on the PATH. */
function placed(values: Args, { places, at }: NotifyRule, { values: look }: Surroundings, problems: Problems): Args {
  const { command } = values["to"] as { readonly command?: readonly string[] };
  const [program = "", ...parameters] = command ?? [];
  if (!program.includes("/") || firstTemplate(program) !== undefined) return values;
  const where = placeOf("to.command", places) ?? at;
  const path = isAbsolute(program) ? program : saidPath(program, where);
  // A command that only reads the runs of the file may run on another machine.
  if (look !== "found" && !existsSync(path)) problems.flaw(missingFile(program, where), where);
  return { ...values, to: { ...(values["to"] as Args), command: [path, ...parameters] } };
}

async function checkAll({ rules, url }: PlannedNotify, written: Notify, problems: Problems): Promise<void> {
  const { AlertsError, checkRules } = await import("@ojm/alerts");
  const report = (some: readonly Rule[], first: number, address?: string): void => {
    try {
      checkRules(some, address);
    } catch (error) {
      if (!(error instanceof AlertsError)) throw error;
      if (error.option === "url") {
        problems.flaw(`"notify": ${error.message}.`, written.url?.at);
        return;
      }
      const index = first + Number(/\[(\d+)\]/.exec(error.option)?.[1] ?? 0);
      const rule = written.rules[index];
      const at = rule && placeIn(rule, error.option, error.message);
      const rest = error.message.slice(/^rules\[\d+\]/.exec(error.message)?.[0].length ?? 0);
      problems.flaw(`notify[${index}]${rest.replaceAll("rules[", "notify[")}.`, at);
    }
  };
  const before = problems.errors.length;
  for (const [index, rule] of rules.entries()) report([rule], index);
  if (problems.errors.length === before) report(rules, 0, url);
}

/** Where an option of a rule stands, or the sub-option that the message names. */
function placeIn({ places, at }: NotifyRule, option: string, message: string): Position {
  const path = option.replace(/^rules\[\d+\]\.?/, "");
  const named = /^: (\w+) /.exec(message.slice(option.length))?.[1];
  const inner = named === undefined ? path : `${path}${path === "" ? "" : "."}${named}`;
  return placeOf(inner, places) ?? at;
}

/** Placeholders for unknown values while the file is only checked, so that the rest can be checked. */
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

interface FilledFrom {
  /** The arguments that all jobs have; `undefined` for a config, which has no arguments and no secrets. */
  readonly args: Args | undefined;
  readonly around: Surroundings;
}

/** Fills the texts of a rule. */
type Fill = (rule: NotifyRule) => Args;

/** Makes the function that fills rules from the arguments, the secrets and the environment of their file. */
function filling({ args, around: { secrets, environment, values } }: FilledFrom, problems: Problems): Fill {
  const known = secrets.names.map((name) => [name, secrets.valueOf(name)] as const);
  const data = { ...args, ...Object.fromEntries(known.filter(([, value]) => value !== undefined)) };
  let count = 0;
  const fillText = (text: string, path: string, at: Position): unknown => {
    const isTemplate = firstTemplate(text) !== undefined;
    if (isTemplate && values !== "needed") return STANDS_FOR[path.split(".").at(-1) ?? ""]?.(count++) ?? text;
    const missing = (written: string, message?: string): void => {
      const name = /[^\s{}$.:[\]]+/.exec(written)?.[0] ?? "it";
      const how = written.startsWith("$")
        ? `Set ${name} in the environment.`
        : args === undefined
          ? `Write \${${name}}, and set ${name} in the environment.`
          : `Define a secret "${name}" under "ojob", or add ${name}=… to the command line.`;
      const why =
        message === undefined ? `nothing fills ${written} in "notify". ${how}` : requiredVariable(written, message);
      problems.flaw(why, at);
    };
    return fillAll(text, data, { missing, keep: true, variables: environment.all });
  };
  return ({ values, places, at }) => {
    const fill = (value: unknown, path: string): unknown => {
      if (typeof value === "string") return fillText(value, path, placeOf(path, places) ?? at);
      if (Array.isArray(value)) return value.map((item) => fill(item, path));
      if (typeof value !== "object" || value === null) return value;
      const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, below(key))]));
    };
    return fill(values, "") as Args;
  };
}

function placeOf(path: string, places: NotifyRule["places"]): Position | undefined {
  for (let known = path; known !== ""; known = known.slice(0, Math.max(0, known.lastIndexOf(".")))) {
    const at = Object.hasOwn(places, known) ? places[known] : undefined;
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Reads the `notify` of a config. `text` is YAML or JSON. `undefined` if it has no rules. */
export async function notifyOfConfig(path: string, text: string): Promise<PlannedNotify | undefined> {
  const problems = new Problems();
  const node = child(parseYaml(new SourceFile(path, path, text), problems), "notify");
  if (node === undefined) return undefined;
  const written = readNotify(check(node, shape, '"notify"', problems, ["notify"]));
  const around = { ...NOTHING_AROUND, values: "needed" } as const;
  const isKnown = written !== undefined && written.rules.length > 0 && problems.isWhole;
  const notify = isKnown ? await fillNotify(written, { args: undefined, around }, problems) : undefined;
  problems.throwErrors();
  return notify;
}
