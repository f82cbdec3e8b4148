import type { Blackout } from "@ojm/schedule";
import { copyOf } from "../../text/said-path.js";
import type {
  CatchItem,
  CodeBlock,
  Dependency,
  JobDefinition,
  JobReference,
  JobType,
  TodoEntry,
  TypeArgs,
  UnusedKey,
} from "../job-file.js";
import { isShortcut } from "../shortcuts/check-shortcut.js";
import { child, entry, itemsOf, type Node, textOf, toMap } from "../yaml/node.js";
import { readEnvironment, readSecretUses } from "./read-environment.js";
import { readHelp } from "./read-help.js";
import { withMatrix } from "./read-matrix.js";
import { labelOf, readShortcut, readSteps } from "./read-steps.js";
import { codeBlock, entriesOf, readArgs, stepOptions } from "./read-values.js";

function references(node: Node | undefined): JobReference[] {
  return itemsOf(node).flatMap((item) => {
    const job = textOf(item);
    return job === undefined ? [] : [{ job, at: item.at }];
  });
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
    const name = item.kind === "map" ? child(item, "name") : item;
    const job = textOf(name);
    if (name === undefined || job === undefined) return [];
    const onSuccess = codeBlock(child(item, "onSuccess"));
    const onFail = codeBlock(child(item, "onFail"));
    return [{ job, at: name.at, ...(onSuccess && { onSuccess }), ...(onFail && { onFail }) }];
  });
}

/** The short forms of words of schedules, as the long ones. */
function scheduleWords({ retry, blackout }: Readonly<Record<string, unknown>>): Pick<TypeArgs, "retry" | "blackout"> {
  const isOne = blackout !== undefined && !Array.isArray(blackout);
  return {
    ...(typeof retry === "number" && { retry: { attempts: retry } }),
    ...(isOne && { blackout: [blackout as Blackout] }),
  };
}

function readTypeArgs(node: Node | undefined): Pick<JobDefinition, "typeArgs" | "typeArgsAt"> {
  const stopWhen = codeBlock(child(node, "stopWhen"));
  const entries = node?.kind === "map" ? node.entries : [];
  const step = child(node, "step");
  const written = toMap(node);
  const read = { ...(stopWhen && { stopWhen }), ...(step && { step: stepOptions(step) }) };
  const { url } = written;
  const copy = typeof url === "string" && written["file"] === undefined ? copyOf(url) : undefined;
  const file = copy === undefined ? {} : { file: copy };
  const typeArgs = { ...written, ...scheduleWords(written), ...read, ...file } as TypeArgs;
  const at = Object.fromEntries(entries.map(({ key, value }) => [key, value.at]));
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
    const written = child(node, alias) === undefined || child(node, key) === undefined ? undefined : entry(node, alias);
    return written === undefined ? [] : [{ alias, key, at: written.keyAt }];
  });
}

/** Reads a job from a checked node. */
export function readJob(node: Node): JobDefinition | undefined {
  const name = textOf(child(node, "name"));
  if (name === undefined) return undefined;
  const exec = codeBlock(child(node, "exec"));
  const settings = readTypeArgs(child(node, "typeArgs"));
  const lang = child(node, "lang");
  const help = readHelp(child(node, "help"));
  return {
    name,
    at: entry(node, "name")?.value.at ?? node.at,
    ...(exec && { exec }),
    ...withMatrix(child(node, "matrix"), readArgs(child(node, "args"))),
    from: readSteps(child(node, "from") ?? child(node, "earlier")),
    to: readSteps(child(node, "to") ?? child(node, "then")),
    catch: catchItems(child(node, "catch") ?? child(node, "onerror")),
    unused: unusedAliases(node),
    deps: dependencies(child(node, "deps")),
    each: references(child(node, "each")),
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

/** Reads an item of `todo` from a checked node. */
export function readTodoEntry(node: Node): TodoEntry | undefined {
  if (isShortcut(node)) {
    const shortcut = readShortcut(node);
    return shortcut && { job: labelOf(shortcut), at: shortcut.at, args: [], argsAt: {}, shortcut };
  }
  const name = node.kind === "map" ? (child(node, "name") ?? child(node, "job")) : node;
  const job = textOf(name);
  if (name === undefined || job === undefined) return undefined;
  const when = codeBlock(child(node, "when"));
  return { job, at: name.at, ...readArgs(child(node, "args")), ...(when && { when }) };
}
