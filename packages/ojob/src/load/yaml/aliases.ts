import {
  type Alias,
  isAlias,
  isCollection,
  isPair,
  Lexer,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

export type AnyNode = Scalar | Alias | YAMLMap | YAMLSeq | ParsedNode;

/**
 * More pieces than any real job file has. Aliases of aliases reach it in a few lines and would fill the
 * memory.
 */
export const MOST_NODES = 200_000;

/** Deeper than any real job file. What reads on walks the tree by calling itself. */
export const MOST_LEVELS = 200;

/**
 * How the tokens of pieces begin: plain and block texts behind a mark of the lexer, quoted ones, aliases,
 * flow lists and maps.
 */
const BEGINNINGS = "\u001f\"'*[{";

/**
 * Whether a text has more pieces than a job file, told without making a document of it, which takes far
 * longer.
 */
export function hasTooMany(yaml: string): boolean {
  // Each piece has at least one character, and one that parts it from the next.
  if (yaml.length < 2 * MOST_NODES) return false;
  let pieces = 0;
  for (const token of new Lexer().lex(yaml)) {
    if (BEGINNINGS.includes(token.charAt(0)) && ++pieces > MOST_NODES) return true;
  }
  return false;
}

/**
 * What the aliases of a document mean: an alias means the latest anchor of its name that stands before it.
 * Found in one walk through the document. The parser's own way walks from the beginning for each alias:
 * 40,000 of them took minutes.
 */
export class Aliases {
  readonly #targets: Map<Alias, AnyNode> = new Map();
  readonly #anchors: Map<string, AnyNode> = new Map();
  #visits = 0;

  /** How many pieces were looked at. */
  get visits(): number {
    return this.#visits;
  }

  /** Whether the document has more pieces than a job file, before any alias is followed. */
  get tooLarge(): boolean {
    return this.#visits > MOST_NODES;
  }

  target(alias: Alias): AnyNode | undefined {
    return this.#targets.get(alias);
  }

  /** Looks at a node and all that is in it, in the order of the document. */
  read(node: unknown, level = 0): void {
    // What is nested deeper is refused by whoever goes through the document: nobody asks for its aliases.
    if (this.tooLarge || level > 2 * MOST_LEVELS) return;
    if (isPair(node)) {
      this.read(node.key, level + 1);
      this.read(node.value, level + 1);
      return;
    }
    this.#visits++;
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
