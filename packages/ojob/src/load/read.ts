import type { Blackout } from "@ojm/schedule";
import { holdsJobs, holdsLists, isShortcut, shortcutKey } from "../shortcuts/syntax.js";
import { shortcutNamed } from "../shortcuts/table.js";
import { copyOf } from "../text/files.js";
import { type Position, place } from "../text/problem.js";
import type {
  Args,
  CatchItem,
  ChannelDefinition,
  CodeBlock,
  Dependency,
  EnvironmentLayer,
  Help,
  HelpArgument,
  JobDefinition,
  JobType,
  LogFiles,
  PlacedText,
  SecretDefinition,
  SecretUse,
  Settings,
  Shortcut,
  StepJob,
  StepOptions,
  StepReference,
  TodoEntry,
  TypeArgs,
  UnusedKey,
  WrittenArgs,
} from "./job-file.js";
import { withMatrix } from "./matrix.js";
import { readNotify } from "./notify.js";
import type { Shape } from "./shape.js";
import {
  child,
  codeBlock,
  entriesOf,
  entry,
  isEmpty,
  itemsOf,
  type Node,
  placesIn,
  textOf,
  toMap,
  toValue,
} from "./yaml/node.js";

/** The texts of a list, or the one text. */
function placedTexts(node: Node | undefined): PlacedText[] {
  return itemsOf(node).flatMap((item) => namedBy(item) ?? []);
}

/** The text that a node is, or that a map has under the first of these keys. */
function namedBy(node: Node, ...keys: readonly string[]): PlacedText | undefined {
  const named = node.kind === "map" ? keys.map((key) => child(node, key)).find((one) => one !== undefined) : node;
  const text = textOf(named);
  return named === undefined || text === undefined ? undefined : { text, at: named.at };
}

function catchItems(node: Node | undefined): CatchItem[] {
  return itemsOf(node).flatMap((item) => {
    const block = codeBlock(item);
    return block === undefined ? [] : [{ block, at: item.at }];
  });
}

function readCheckAt(node: Node | undefined): Record<string, CodeBlock> {
  const blocks = ["in", "out"].flatMap((side) =>
    entriesOf(child(node, side)).flatMap(({ key, value }) => {
      const block = codeBlock(value);
      return block === undefined ? [] : [[`${side}.${key}`, block] as const];
    }),
  );
  return Object.fromEntries(blocks);
}

function dependencies(node: Node | undefined): Dependency[] {
  return itemsOf(node).flatMap((item) => {
    const name = namedBy(item, "name");
    if (name === undefined) return [];
    const onSuccess = codeBlock(child(item, "onSuccess"));
    const onFail = codeBlock(child(item, "onFail"));
    return [{ job: name.text, at: name.at, ...(onSuccess && { onSuccess }), ...(onFail && { onFail }) }];
  });
}

function scheduleWords({ retry, blackout }: Readonly<Record<string, unknown>>): Pick<TypeArgs, "retry" | "blackout"> {
  const isOne = blackout !== undefined && !Array.isArray(blackout);
  return {
    ...(typeof retry === "number" && { retry: { attempts: retry } }),
    ...(isOne && { blackout: [blackout as Blackout] }),
  };
}

function readTypeArgs(node: Node | undefined): Pick<JobDefinition, "typeArgs" | "typeArgsAt"> {
  const stopWhen = codeBlock(child(node, "stopWhen"));
  const step = child(node, "step");
  const written = toMap(node);
  const read = { ...(stopWhen && { stopWhen }), ...(step && { step: stepOptions(step) }) };
  const { url } = written;
  const copy = typeof url === "string" && written["file"] === undefined ? copyOf(url) : undefined;
  const file = copy === undefined ? {} : { file: copy };
  const typeArgs = { ...written, ...scheduleWords(written), ...read, ...file } as TypeArgs;
  const at = Object.fromEntries(entriesOf(node).map(({ key, value }) => [key, value.at]));
  return { typeArgs, typeArgsAt: { ...at, ...(copy !== undefined && at["url"] && { file: at["url"] }) } };
}

function readType(node: Node, typeArgs: TypeArgs): JobType {
  const type = textOf(child(node, "type"));
  // A schedule makes a job periodic. Without `type: periodic` it would run once, at the wrong time.
  const scheduled = typeArgs.cron !== undefined || typeArgs.timeInterval !== undefined;
  return type === undefined || type === "simple" ? (scheduled ? "periodic" : "simple") : (type as JobType);
}

/** Other names of keys, as OpenAF has them. */
const ALIASES = [
  ["earlier", "from"],
  ["then", "to"],
  ["onerror", "catch"],
] as const;

function unusedAliases(node: Node): UnusedKey[] {
  return ALIASES.flatMap(([alias, key]) => {
    const written = child(node, alias) && child(node, key) && entry(node, alias);
    return written === undefined ? [] : [{ alias, key, at: written.keyAt }];
  });
}

export function readJob(node: Node): JobDefinition | undefined {
  const name = textOf(child(node, "name"));
  if (name === undefined) return undefined;
  const exec = codeBlock(child(node, "exec"));
  const settings = readTypeArgs(child(node, "typeArgs"));
  const lang = child(node, "lang");
  const help = readHelp(child(node, "help"));
  return {
    name,
    at: child(node, "name")?.at ?? node.at,
    ...(exec && { exec }),
    ...withMatrix(child(node, "matrix"), readArgs(child(node, "args"))),
    from: readSteps(child(node, "from") ?? child(node, "earlier")),
    to: readSteps(child(node, "to") ?? child(node, "then")),
    catch: catchItems(child(node, "catch") ?? child(node, "onerror")),
    unused: unusedAliases(node),
    deps: dependencies(child(node, "deps")),
    each: placedTexts(child(node, "each")).map(({ text, at }) => ({ job: text, at })),
    type: readType(node, settings.typeArgs),
    ...settings,
    ...(lang && { lang: textOf(lang) ?? "", langAt: lang.at }),
    check: toMap(child(node, "check")),
    checkAt: readCheckAt(child(node, "check")),
    ...(help && { help }),
    environment: readEnvironment(node),
    secrets: readSecretUses(node),
  };
}

export function readTodoEntry(node: Node): TodoEntry | undefined {
  if (isShortcut(node)) {
    const shortcut = readShortcut(node);
    if (shortcut === undefined) return undefined;
    const { name, at } = shortcut;
    return { job: `(${name}) at ${place(at)}`, at, args: [], argsAt: {}, shortcut };
  }
  const name = namedBy(node, "name", "job");
  if (name === undefined) return undefined;
  const when = codeBlock(child(node, "when"));
  return { job: name.text, at: name.at, ...readArgs(child(node, "args")), ...(when && { when }) };
}

function readSteps(node: Node | undefined): StepReference[] {
  return itemsOf(node).flatMap((item): StepReference[] => {
    const [read] = readItems(item);
    if (read === undefined) return [];
    return "shortcut" in read ? [read] : [{ ...read, ...stepOptions(item) }];
  });
}

/** The jobs and shortcuts of a list of a shortcut. They have no options: they are calls, not steps. */
function readItems(node: Node | undefined): StepReference[] {
  return itemsOf(node).flatMap((item): StepReference[] => {
    if (!isShortcut(item)) return readStepJob(item);
    const shortcut = readShortcut(item);
    return shortcut === undefined ? [] : [{ shortcut }];
  });
}

function readStepJob(node: Node): StepJob[] {
  const name = namedBy(node, "name", "job");
  if (name === undefined) return [];
  const { args, argsAt } = readArgs(child(node, "args"));
  const { isolateArgs, templateArgs } = toMap(node) as Pick<StepJob, "isolateArgs" | "templateArgs">;
  return [
    {
      job: name.text,
      at: name.at,
      args: args[0] ?? {},
      argsAt,
      ...(typeof isolateArgs === "boolean" && { isolateArgs }),
      ...(typeof templateArgs === "boolean" && { templateArgs }),
    },
  ];
}

function readShortcut(node: Node): Shortcut | undefined {
  const entries = entriesOf(node).flatMap((entry) => {
    const key = shortcutKey(entry.key);
    return key === undefined ? [] : [{ ...entry, ...key }];
  });
  const first = entries.find(({ option }) => !option);
  if (first === undefined) return undefined;
  const shape = shortcutNamed(first.name);
  const parts = entries.map(({ option, name, keyAt, value }): Part => {
    const named = option ? name : "value";
    return { name: named, keyAt, value, shape: option ? shape?.options[name] : shape?.value };
  });
  const data = parts.filter(({ value, shape }) => !isEmpty(value) && !holdsLists(shape));
  const { args, argsAt } = readArgs(child(node, "args"));
  return {
    name: first.name,
    at: first.keyAt,
    values: Object.fromEntries(data.map(({ name, value }) => [name, toValue(value)])),
    blocks: Object.fromEntries(data.flatMap(({ name, value }) => codeEntry(name, value))),
    lists: Object.fromEntries(parts.flatMap(listsOf)),
    ...(node.kind === "map" && node.job && { late: node.job.args }),
    places: Object.fromEntries(parts.map(({ name, keyAt, value }) => [name, isEmpty(value) ? keyAt : value.at])),
    args: args[0] ?? {},
    argsAt,
  };
}

interface Part {
  readonly name: string;
  readonly keyAt: Position;
  readonly value: Node;
  readonly shape: Shape | undefined;
}

function listsOf({ name, value, shape }: Part): [string, StepReference[]][] {
  if (!holdsLists(shape) || isEmpty(value)) return [];
  if (holdsJobs(shape)) return [[name, readItems(value)]];
  return entriesOf(value).map(({ key, value: list }) => [`${name}.${key}`, readItems(list)]);
}

function codeEntry(name: string, value: Node): [string, CodeBlock][] {
  const block = codeBlock(value);
  return block === undefined ? [] : [[name, block]];
}

export function readSettings(node: Node | undefined): Settings {
  const whenFailed = codeBlock(child(node, "catch") ?? child(node, "onerror"));
  const loads = child(node, "loads");
  const channels = child(child(node, "channels"), "create");
  const logs = child(node, "logToFile");
  const shutdown = child(node, "shutdown");
  const unique = child(node, "unique");
  const environment = readEnvironment(node);
  const secrets = readSecrets(node);
  const notify = readNotify(child(node, "notify"));
  // The values under these keys have another type, or no effect.
  const { environment: _, secrets: __, notify: ___, ...plain } = toMap(node);
  return {
    ...(plain as Settings),
    ...(loads && { loads: placedTexts(loads) }),
    ...(shutdown && { shutdown: placedTexts(shutdown) }),
    ...(logs && {
      logToFile: { ...(toMap(logs) as Partial<LogFiles>), logFolder: placedText(logs, "logFolder", ".") },
    }),
    ...(unique && { unique: { ...toMap(unique), pidFile: placedText(unique, "pidFile", "ojob.pid") } }),
    ...(channels && { channels: { create: itemsOf(channels).flatMap(readChannel) } }),
    ...(whenFailed && { catch: whenFailed }),
    ...(notify && { notify }),
    ...(environment.length > 0 && { environment }),
    ...(secrets.length > 0 && { secrets: new Map(secrets) }),
  };
}

/** The settings of a file over those of files that it includes. Variables and secrets are added by name. */
export function mergeSettings(included: Settings, own: Settings): Settings {
  const environment = [...(included.environment ?? []), ...(own.environment ?? [])];
  const secrets = new Map([...(included.secrets ?? []), ...(own.secrets ?? [])]);
  const added = { ...(environment.length > 0 && { environment }), ...(secrets.size > 0 && { secrets }) };
  return { ...included, ...own, ...added };
}

/** A text of a map. The place of a default is that of the map. */
function placedText(node: Node, key: string, standard: string): PlacedText {
  const written = child(node, key);
  return { text: textOf(written) ?? standard, at: (written ?? node).at };
}

function readChannel(node: Node): ChannelDefinition[] {
  const name = textOf(child(node, "name"));
  if (name === undefined) return [];
  const args: Args = { ...toMap(child(node, "options")), ...toMap(child(node, "args")) };
  const type = child(node, "type");
  const entries = [child(node, "options"), child(node, "args")].flatMap(entriesOf);
  const argsAt = Object.fromEntries(entries.map(({ key, keyAt }) => [key, keyAt]));
  return [{ name, at: node.at, type: textOf(type) ?? "simple", ...(type && { typeAt: type.at }), args, argsAt }];
}

export function readModules(node: Node | undefined): [string, CodeBlock][] {
  return entriesOf(node).flatMap(({ key, value }) => codeEntry(key, value));
}

/** The layers of `envFile` and `env` of a checked node. A later one wins. */
function readEnvironment(node: Node | undefined): EnvironmentLayer[] {
  const files = itemsOf(child(node, "envFile")).flatMap((item): EnvironmentLayer[] => {
    const file = namedBy(item, "path");
    return file === undefined ? [] : [{ file, required: textOf(child(item, "required")) !== "false" }];
  });
  const variables = entriesOf(child(node, "env")).flatMap(({ key, value }) => {
    const text = textOf(value);
    return text === undefined ? [] : [{ name: key, text, at: value.at }];
  });
  return variables.length === 0 ? files : [...files, { variables }];
}

function readSecrets(node: Node | undefined): [string, SecretDefinition][] {
  return entriesOf(child(node, "secrets")).map(({ key, keyAt, value }) => {
    const env = textOf(child(value, "env"));
    const [file] = placedTexts(child(value, "file"));
    return [key, { name: key, at: keyAt, ...(env !== undefined && { env }), ...(file && { file }) }];
  });
}

function readSecretUses(node: Node): SecretUse[] {
  return itemsOf(child(node, "secrets")).flatMap((item) => {
    const name = namedBy(item, "name");
    if (name === undefined) return [];
    const arg = textOf(child(item, "arg"));
    const env = textOf(child(item, "env"));
    return [{ secret: name.text, at: name.at, ...(arg !== undefined && { arg }), ...(env !== undefined && { env }) }];
  });
}

/** Reads a `help` from a checked node: a text, or a map. */
export function readHelp(node: Node | undefined): Help | undefined {
  if (node === undefined) return undefined;
  const text = textOf(node.kind === "map" ? child(node, "text") : node)?.trim();
  return {
    ...(text && { text }),
    expects: itemsOf(child(node, "expects")).flatMap(readArgument),
    returns: itemsOf(child(node, "returns")).flatMap(readArgument),
  };
}

function readArgument(node: Node): HelpArgument[] {
  const name = textOf(child(node, "name"));
  if (name === undefined) return [];
  const { mandatory, required, secret } = toMap(node);
  const desc = textOf(child(node, "desc"))?.trim();
  const example = child(node, "example");
  const options = itemsOf(child(node, "options") ?? child(node, "moptions")).flatMap((item) => textOf(item) ?? []);
  return [
    {
      name,
      at: node.at,
      ...(desc && { desc }),
      mandatory: mandatory === true || required === true,
      ...(example && { example: textOf(example) ?? JSON.stringify(toValue(example)) }),
      ...(options.length > 0 && { options }),
      secret: secret === true,
    },
  ];
}

function readArgs(node: Node | undefined): WrittenArgs {
  const argsCode = codeBlock(node);
  if (argsCode !== undefined) return { args: [], argsAt: {}, argsCode };
  const maps = itemsOf(node);
  const places = maps.flatMap((map) => placesIn(map, 3));
  return { args: maps.map(toMap), argsAt: Object.fromEntries(places) };
}

function stepOptions(node: Node | undefined): StepOptions {
  const { timeout, continueOnError } = toMap(node) as StepOptions;
  return { ...(timeout !== undefined && { timeout }), ...(continueOnError !== undefined && { continueOnError }) };
}
