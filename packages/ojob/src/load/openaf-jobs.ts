import { holdsJobs, holdsLists, isShortcut, shortcutKey, writtenKey } from "../shortcuts/syntax.js";
import { SHORTCUTS, shortcutNamed } from "../shortcuts/table.js";
import {
  child,
  entry,
  type JobOfOpenAf,
  type MapEntry,
  type MapNode,
  type Node,
  nothing,
  textOf,
} from "./yaml/node.js";

const OTHERS: Readonly<Record<string, string>> = {
  exit: " Write the shortcut (fail), or exit(code) in a script.",
  run: " Name the job itself.",
  ...Object.fromEntries(
    `ask,deps report,final deps report,final report,get pm,get state,job debug,job final report,job report,llm,oafp,
    questions,report,sec set,set envs,set state,split to items,state,template folder`
      .split(",")
      .map((job) => [job.trim(), ""]),
  ),
};

function withoutPrefix(name: string): string {
  return /^ojob (.+)$/.exec(name.toLowerCase())?.[1] ?? "";
}

/**
 * The shortcut that does what a job of OpenAF does. OpenAF ignores case. Of two arguments for the same
 * option, the first one wins.
 */
function asShortcut(name: string): (JobOfOpenAf & { readonly shortcut: string }) | undefined {
  const job = withoutPrefix(name);
  const [shortcut = "", one] = Object.entries(SHORTCUTS).find(([, { jobs = {} }]) => Object.hasOwn(jobs, job)) ?? [];
  const args = one?.jobs?.[job];
  if (args === undefined) return undefined;
  const pairs = (args.match(/\S+/g) ?? []).map((one) => {
    const [argument = "", option = argument.replace(/^__/, "")] = one.split("=");
    return [argument, option] as const;
  });
  return { name, shortcut, args: Object.fromEntries(pairs) };
}

/** What to write instead of a job that comes with OpenAF, but not with ojm. `undefined` for any other job. */
export function insteadOfJob(name: string): string | undefined {
  const shortcut = asShortcut(name)?.shortcut;
  if (shortcut !== undefined) return ` Write the shortcut (${shortcut}).`;
  const job = withoutPrefix(name);
  return Object.hasOwn(OTHERS, job) ? OTHERS[job] : undefined;
}

const STEPS: readonly string[] = ["from", "to", "earlier", "then"];

/** Replaces jobs of OpenAF by shortcuts, before all checks. `names` are the jobs that the file defines. */
export function withShortcuts(root: Node, names: ReadonlySet<string>): Node {
  const translator = new Translator(names);
  return mapEntries(root, ({ key, value }) => {
    if (key === "todo") return translator.items(value, []);
    return key === "jobs" ? mapItems(value, (job) => jobWithShortcuts(job, names)) : value;
  });
}

/** Converts a job. Arguments that are options of its steps move from the job to the shortcuts. */
function jobWithShortcuts(job: Node, names: ReadonlySet<string>): Node {
  const isCode = textOf(child(job, "args")) !== undefined;
  const args = isCode ? { entries: [] } : argsOf(job);
  if (args === undefined) return job;
  const translator = new Translator(names);
  const translated = mapEntries(job, ({ key, value }) =>
    STEPS.includes(key) ? translator.items(value, args.entries) : value,
  );
  return mapEntries(translated, ({ key, value }) => (key === "args" ? translator.withoutUsed(value) : value));
}

class Translator {
  readonly #names: ReadonlySet<string>;
  readonly #used = new Set<MapEntry>();

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  /** Steps, or the items of a list. `around` are the arguments of the job around them. */
  items(node: Node, around: readonly MapEntry[]): Node {
    return mapItems(node, (item) => this.#item(item, around));
  }

  /** The arguments of a job without its options, except those without `_`: scripts may use them. */
  withoutUsed(args: Node): Node {
    return mapItems(args, (map) => {
      if (map.kind !== "map") return map;
      return { ...map, entries: map.entries.filter((one) => !one.key.startsWith("_") || !this.#used.has(one)) };
    });
  }

  #item(item: Node, around: readonly MapEntry[]): Node {
    if (isShortcut(item)) return this.#lists(item, around);
    const name = item.kind === "map" ? (child(item, "name") ?? child(item, "job")) : item;
    const text = textOf(name);
    const job = text === undefined || this.#names.has(text) ? undefined : asShortcut(text);
    const args = argsOf(item);
    if (name === undefined || job === undefined || args === undefined) return item;
    const { shortcut } = job;
    const all = [...args.entries, ...around];
    const value: MapEntry = { key: writtenKey(shortcut, false), keyAt: name.at, value: nothing(name.at) };
    const parts = new Map<string, MapEntry>([["value", value]]);
    const used = new Set<MapEntry>();
    for (const [argument, option] of Object.entries(job.args)) {
      const found = all.find(({ key }) => key === argument);
      if (found === undefined) continue;
      used.add(found);
      if (option === "value" && parts.get(option) === value) parts.set(option, { ...value, value: found.value });
      else if (!parts.has(option)) parts.set(option, { ...found, key: writtenKey(option, true) });
    }
    for (const one of used) this.#used.add(one);
    const others = args.entries.filter((one) => !used.has(one));
    const written = entry(item, "args");
    const more = item.kind === "map" ? item.entries.filter(({ key }) => !["name", "job", "args"].includes(key)) : [];
    const rest = written && others.length > 0 ? [{ ...written, value: { ...args, entries: others } }] : [];
    const made: MapNode = { kind: "map", at: item.at, entries: [...parts.values(), ...rest, ...more], job };
    return this.#lists(
      made,
      around.filter((one) => !used.has(one)),
    );
  }

  /** A shortcut with shortcuts in its lists. */
  #lists(node: Node, around: readonly MapEntry[]): Node {
    const keys = node.kind === "map" ? node.entries.flatMap(({ key }) => shortcutKey(key) ?? []) : [];
    const shape = shortcutNamed(keys.find(({ option }) => !option)?.name ?? "");
    return mapEntries(node, ({ key, value }) => {
      const { option, name = "" } = shortcutKey(key) ?? {};
      const of = option === false ? shape?.value : shape?.options[name];
      if (holdsJobs(of)) return this.items(value, around);
      return holdsLists(of) ? mapEntries(value, (list) => this.items(list.value, around)) : value;
    });
  }
}

/** The arguments of a job or reference. `undefined` if they are code, or those of several runs. */
function argsOf(node: Node): MapNode | undefined {
  const args = child(node, "args");
  if (args === undefined) return { kind: "map", at: node.at, entries: [] };
  const [only, ...others] = args.kind === "list" ? args.items : [args];
  return only?.kind === "map" && others.length === 0 ? only : undefined;
}

function mapEntries(node: Node, change: (entry: MapEntry) => Node): Node {
  if (node.kind !== "map") return node;
  return { ...node, entries: node.entries.map((one) => ({ ...one, value: change(one) })) };
}

function mapItems(node: Node, change: (item: Node) => Node): Node {
  return node.kind === "list" ? { ...node, items: node.items.map(change) } : change(node);
}
