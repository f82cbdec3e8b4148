import type { Args } from "../load/job-file.js";
import { flag, text } from "../load/shape.js";
import { parseData } from "../script/javascript.js";
import { merge } from "../script/worker/functions/values.js";
import { variableOf } from "../text/environment.js";
import { isMap, withValue } from "../text/template.js";
import type { ShortcutDefinition, ShortcutRun } from "./definition.js";
import { readPath } from "./values.js";

const IN_A_FILE = "write the secret into a file that only you can read, and name it under ((secFile))";

/** Options of OpenAF's repository of secrets, which only Java can decrypt. */
const OF_THE_REPOSITORY: Readonly<Record<string, string>> = {
  secRepo:
    'write "((secEnv)): true" for a variable of the environment, or ((secFile)) for a file: ojm opens no repository of OpenAF',
  secPass: IN_A_FILE,
  secMainPass: IN_A_FILE,
};

export const secget: ShortcutDefinition = {
  doc: "Adds a secret to the arguments. Its value is never shown.",
  value: text("The name of the secret. Default: the argument `secKey`."),
  options: {
    secEnv: flag("The secret is a variable of the environment."),
    secFile: text("A YAML or JSON file that holds the secret."),
    secBucket: text("The part of the file that holds the secret."),
    secOut: text("The argument that gets it, or a path there. Default: the fields of the secret become arguments."),
    secIgnore: flag("Continue if there is no such secret."),
    secDontAsk: flag("No effect: there is no prompt."),
  },
  refused: OF_THE_REPOSITORY,
  jobs: {
    "sec get": "secKey=value secIn secRepo secBucket secPass secOut secMainPass secFile secDontAsk secIgnore secEnv",
  },
  run: async (run) => {
    const key = option(run, "secKey", "value");
    if (key === undefined && run.flag("secIgnore")) return run.args;
    if (key === undefined)
      throw new Error("(secget) needs the name of the secret: as its value, or as the argument secKey");
    const secret = await secretOf(run, key);
    run.engine.log.hide(textsIn(secret));
    return added(run, key, secret);
  },
};

/** An option, or the argument of its name: OpenAF reads both. */
function option(run: ShortcutRun, name: string, written = name): string | undefined {
  const value = run.value(written) ?? run.args[name];
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

async function secretOf(run: ShortcutRun, key: string): Promise<unknown> {
  const isEnvironment = run.flag("secEnv") || /^true$/i.test(option(run, "secEnv") ?? "");
  if (isEnvironment) return fromEnvironment(run, key);
  const file = run.path("secFile") ?? fileOfArgs(run);
  if (file !== undefined) return fromFile(run, file, key);
  const unsupported = Object.keys(OF_THE_REPOSITORY).find((name) => option(run, name) !== undefined);
  const what = unsupported === undefined ? "" : `: ojm opens no repository of OpenAF, which "${unsupported}" is for`;
  throw new Error(`(secget) needs "((secEnv)): true" or "((secFile))"${what}`);
}

function fileOfArgs(run: ShortcutRun): string | undefined {
  return typeof run.args["secFile"] === "string" ? run.args["secFile"] : undefined;
}

/** As in OpenAF, a variable that holds a map is read as one. */
function fromEnvironment({ execution }: ShortcutRun, key: string): unknown {
  const text = variableOf(execution.place.environment.all, key);
  if (text === undefined) throw new Error(`there is no variable ${key} in the environment, which (secget) is to read`);
  return parseData(text);
}

async function fromFile(run: ShortcutRun, file: string, key: string): Promise<unknown> {
  const data = await run.dataOf(file);
  const bucket = option(run, "secBucket");
  const part = bucket === undefined ? data : bucketOf(data, bucket);
  if (isMap(part) && typeof part["v"] === "string" && part["sbucket"] === bucket) {
    throw new Error(`the bucket "${bucket}" in ${file} is encrypted by OpenAF, which ojm cannot read`);
  }
  const secret = isMap(part) ? (Object.hasOwn(part, key) ? part[key] : readPath(part, key)) : undefined;
  if (secret !== undefined && secret !== null) return secret;
  throw new Error(`there is no secret "${key}" in ${file}${bucket === undefined ? "" : `, in the bucket "${bucket}"`}`);
}

/** A bucket: a field of the file, or, as OpenAF writes it, the item of a list with that name. */
function bucketOf(data: unknown, bucket: string): unknown {
  if (Array.isArray(data)) return data.find((one) => isMap(one) && one["sbucket"] === bucket);
  return isMap(data) && Object.hasOwn(data, bucket) ? data[bucket] : undefined;
}

function added(run: ShortcutRun, key: string, secret: unknown): Args {
  const out = option(run, "secOut");
  if (out !== undefined) {
    const before = readPath(run.args, out);
    return withValue(run.args, out, isMap(before) && isMap(secret) ? merge(before, secret) : secret);
  }
  if (isMap(secret)) return run.withData(secret);
  throw new Error(`the secret "${key}" is a text: name the argument that gets it, by "((secOut))"`);
}

function textsIn(secret: unknown): string[] {
  if (isMap(secret) || Array.isArray(secret)) return Object.values(secret).flatMap(textsIn);
  return secret === undefined || secret === null ? [] : [String(secret)];
}
