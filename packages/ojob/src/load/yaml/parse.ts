import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { JobFileError, type Position, type Problems, type SourceFile } from "../../text/problem.js";
import {
  type ListNode,
  type MapEntry,
  type MapNode,
  type Node,
  nothing,
  type ScalarNode,
  type TextPlace,
} from "./node.js";

const TOO_LARGE = "the file, with its aliases followed, is too large.";

/** Parses a job file, with the place of each node. Throws only the first problem: it causes the others. */
export function parseYaml(source: SourceFile, problems: Problems): Node | undefined {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { source, line, column: col };
  };
  if (hasTooMany(source.text)) throw fault(TOO_LARGE, at(0));
  const document = parse(source, lines);
  const first = document.errors[0];
  if (first !== undefined) {
    const [message, offset = first.pos[0]] = explain(first, source);
    throw fault(message, at(offset));
  }
  for (const warning of document.warnings) problems.warn(oneLine(warning.message), at(warning.pos[0]));
  const root = document.contents;
  if (root === null) return undefined;
  const aliases = new Aliases();
  aliases.read(root);
  if (aliases.tooLarge) throw fault(TOO_LARGE, at(0));
  return new Converter(source, aliases, at, problems).node(root);
}

function parse(source: SourceFile, lineCounter: LineCounter): Document.Parsed {
  try {
    // Set the schema by name: a "%YAML 1.1" in the file would turn texts into dates and sets. We find
    // duplicate keys ourselves: the parser compares all pairs of keys, which takes minutes in a map of
    // 100,000.
    const options = { schema: "core", resolveKnownTags: false, uniqueKeys: false, merge: true } as const;
    return parseDocument(source.text, { ...options, lineCounter, prettyErrors: false });
  } catch (error) {
    // The parser recurses: a file of ten thousand "[" exhausts the stack.
    if (!(error instanceof RangeError)) throw error;
    throw fault(`${source.name} is nested too deeply to be a job file.`);
  }
}

function fault(message: string, at?: Position): JobFileError {
  return new JobFileError([{ severity: "error", message, ...(at && { at }) }]);
}

/** Converts the parser's tree: follows aliases, applies merges, and turns offsets into places. */
class Converter {
  readonly #source: SourceFile;
  readonly #aliases: Aliases;
  readonly #at: (offset: number) => Position;
  readonly #problems: Problems;
  readonly #open = new Set<AnyNode>();
  #count = 0;

  constructor(source: SourceFile, aliases: Aliases, at: (offset: number) => Position, problems: Problems) {
    this.#source = source;
    this.#aliases = aliases;
    this.#at = at;
    this.#problems = problems;
  }

  node(from: AnyNode): Node {
    const at = this.#at(from.range?.[0] ?? 0);
    if (this.#open.has(from)) throw fault("this alias leads back to itself.", at);
    if (++this.#count > MAX_NODES) throw fault(TOO_LARGE, at);
    if (this.#open.size > MAX_LEVELS) throw fault("this is nested too deeply for a job file.", at);
    this.#open.add(from);
    const result = this.#convert(from, at);
    this.#open.delete(from);
    return result;
  }

  #convert(from: AnyNode, at: Position): Node {
    if (isAlias(from)) {
      const target = this.#aliases.target(from);
      if (target === undefined) throw fault(noAnchor(from.source), at);
      return this.node(target);
    }
    if (isMap(from)) return this.#map(from, at);
    if (isSeq(from)) return this.#list(from, at);
    return this.#scalar(from as Scalar, at);
  }

  #list(from: YAMLSeq, at: Position): ListNode {
    const items = from.items.map((item) => (item === null ? nothing(at) : this.node(item as AnyNode)));
    return { kind: "list", at, items };
  }

  #map(from: YAMLMap, at: Position): MapNode {
    const entries: MapEntry[] = [];
    const merged: MapEntry[] = [];
    const own = new Map<string, Position>();
    for (const pair of from.items) {
      const key = pair.key as AnyNode | null;
      const keyAt = key?.range ? this.#at(key.range[0]) : at;
      if (key !== null && !isScalar(key)) throw fault("a key must be a word, not a list or a map.", keyAt);
      const value = pair.value === null ? nothing(keyAt) : this.node(pair.value as AnyNode);
      // The parser turns a << that means a merge into a symbol. A quoted << is an ordinary key.
      if (typeof key?.value === "symbol") merged.push(...this.#merge(value));
      else this.#add({ key: String(key?.value ?? ""), keyAt, value }, entries, own);
    }
    for (const entry of merged) {
      if (own.has(entry.key)) continue;
      entries.push(entry);
      own.set(entry.key, entry.keyAt);
    }
    return { kind: "map", at, entries };
  }

  #add(entry: MapEntry, entries: MapEntry[], own: Map<string, Position>): void {
    const first = own.get(entry.key);
    if (first === undefined) entries.push(entry);
    else this.#problems.error(`the key "${entry.key}" is already there, in line ${first.line}.`, entry.keyAt);
    own.set(entry.key, first ?? entry.keyAt);
  }

  #merge(value: Node): readonly MapEntry[] {
    const maps = value.kind === "list" ? value.items : [value];
    const seen = new Set<string>();
    const entries: MapEntry[] = [];
    for (const map of maps) {
      if (map.kind !== "map") throw fault("what << merges must be a map or a list of maps.", map.at);
      for (const entry of map.entries) if (!seen.has(entry.key)) entries.push(entry);
      for (const entry of map.entries) seen.add(entry.key);
    }
    return entries;
  }

  #scalar(from: Scalar, at: Position): ScalarNode {
    const value = from.value;
    const plain = typeof value === "string" || typeof value === "boolean" || typeof value === "number" ? value : null;
    return { kind: "scalar", at, value: plain, text: this.#textPlace(from, at) };
  }

  #textPlace(from: Scalar, at: Position): TextPlace {
    const value = String(from.value ?? "");
    if (from.type === "BLOCK_LITERAL") {
      const line = at.line + 1;
      const lines = value.split("\n");
      const full = lines.findIndex((text) => text.trim() !== "");
      const raw = this.#source.line(line + Math.max(0, full)) ?? "";
      return { line, indent: Math.max(0, raw.trimEnd().length - (lines[full] ?? "").trimEnd().length), exact: true };
    }
    const quote = from.type === "QUOTE_DOUBLE" || from.type === "QUOTE_SINGLE" ? 1 : 0;
    // The columns of a text on one line count from its start, unless an escape in it shifts the rest.
    const start = at.column - 1 + quote;
    const raw = this.#source.line(at.line) ?? "";
    const exact = raw.startsWith(value, start);
    return { line: at.line, indent: exact ? start : 0, exact };
  }
}

/**
 * Explains how to fix an error of the YAML parser, and where it is, if not where the parser says. The
 * commonest mistakes have their own messages.
 */
function explain({ code, message, pos }: YAMLError, { text }: SourceFile): [message: string, offset?: number] {
  const [offset] = pos;
  if (code === "TAB_AS_INDENT") return ["a tab is used for indentation. YAML allows spaces only."];
  if (code === "MULTIPLE_DOCS") return ["a second YAML document starts here (---). A job file is one document."];
  // The parser has exhausted the stack, and reports that as an error in the file.
  if (message.includes("call stack")) return ["this is nested too deeply for a job file."];
  const rest = text.slice(offset).split("\n", 1)[0] ?? "";
  if (code === "BLOCK_AS_IMPLICIT_KEY" && /:(?:\s|$)/.test(rest)) {
    return [
      'in a text without quotes, a colon and a blank make the text a map. Quote the text, or write a script in the lines below "exec: |".',
    ];
  }
  const star = code === "BAD_ALIAS" || message.includes("alias") ? starBefore(text, offset) : undefined;
  if (star !== undefined) return [unquotedStar(text, star), star];
  return [`this is not valid YAML: ${oneLine(message)}`];
}

/** The message for an alias without an anchor: if not a word, it is probably the start of a schedule. */
function noAnchor(name: string): string {
  return /^[\p{L}\p{N}_-]+$/u.test(name)
    ? `there is no anchor &${name} before this alias.`
    : unquotedStar(`*${name}`, 0);
}

function unquotedStar(text: string, offset: number): string {
  const line = text.slice(offset).split("\n", 1)[0] ?? "";
  const value = line.replace(/\s+#.*$|\s*[,\]}].*$/g, "").trim();
  return `a text without quotes that begins with * is an alias to YAML. Quote it: "${value}".`;
}

/** The star in this line that begins a value. */
function starBefore(text: string, offset: number): number | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const found = /(?:^|[:,[{-])\s*\*/.exec(text.slice(start, offset + 1));
  return found === null ? undefined : start + found.index + found[0].length - 1;
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}

type AnyNode = Scalar | Alias | YAMLMap | YAMLSeq | ParsedNode;

/** More pieces than any real job file has. Aliases of aliases would reach it in a few lines. */
export const MAX_NODES = 200_000;

/** Deeper than any real job file. Later stages walk the tree recursively. */
const MAX_LEVELS = 200;

/** The first characters of tokens of pieces: texts after a mark of the lexer, quotes, aliases, flow. */
const BEGINNINGS = "\u001f\"'*[{";

/** Whether a text has more pieces than a job file may have, without building a document, which is slow. */
export function hasTooMany(yaml: string): boolean {
  // Each piece has at least one character, and one that separates it from the next.
  if (yaml.length < 2 * MAX_NODES) return false;
  let pieces = 0;
  for (const token of new Lexer().lex(yaml)) {
    if (BEGINNINGS.includes(token.charAt(0)) && ++pieces > MAX_NODES) return true;
  }
  return false;
}

/**
 * Resolves the aliases of a document in one walk: an alias means the latest anchor of its name before it. The
 * parser itself walks from the beginning for each alias, which took minutes for 40,000 of them.
 */
export class Aliases {
  readonly #targets: Map<Alias, AnyNode> = new Map();
  readonly #anchors: Map<string, AnyNode> = new Map();
  visits = 0;

  /** Whether the document has more pieces than a job file may have, before any alias is followed. */
  get tooLarge(): boolean {
    return this.visits > MAX_NODES;
  }

  target(alias: Alias): AnyNode | undefined {
    return this.#targets.get(alias);
  }

  read(node: unknown, level = 0): void {
    // The converter rejects deeper nesting, so the aliases there are not needed.
    if (this.tooLarge || level > 2 * MAX_LEVELS) return;
    if (isPair(node)) {
      this.read(node.key, level + 1);
      this.read(node.value, level + 1);
      return;
    }
    this.visits++;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) this.#targets.set(node, target);
      return;
    }
    const { anchor } = (node ?? {}) as { readonly anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node as AnyNode);
    if (isCollection(node)) for (const item of node.items) this.read(item, level + 1);
  }
}
