import { type AnyNode, type Options, parse } from "acorn";
import type { Script } from "../scripts.js";
import { NameWalk } from "./walk.js";

/** The names of a script. */
export interface ReadNames {
  readonly walk: NameWalk;
  /** The variables and functions that its statements make global, if it runs as a script of its own. */
  readonly own: readonly string[];
  /** How many lines stand before the first line of the script in what was parsed. */
  readonly linesBefore: number;
}

/** Reads the names of a script. `undefined` if it cannot be parsed. */
export function readNames({ block, kind }: Script): ReadNames | undefined {
  const parsedAs = kindOf(block.source.path, block.code, kind);
  const parsed = parseText(block.code, parsedAs);
  if (parsed === undefined) return undefined;
  const walk = new NameWalk();
  try {
    const own = walk.statements(parsed.body, parsedAs === "body" ? ["arguments"] : []);
    return { walk, own: parsedAs === "script" ? own : [], linesBefore: parsed.linesBefore };
  } catch (error) {
    // The walk calls itself: what is nested too deeply for it stays unread.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function kindOf(path: string, code: string, kind: Script["kind"]): Kind {
  if (kind !== "loaded" && kind !== "module") return "body";
  if (isEsModule(path, code)) return "module";
  return kind === "loaded" ? "script" : "body";
}

const OPTIONS: Options = { ecmaVersion: "latest", sourceType: "script", locations: true, allowHashBang: true };

/** How a text is compiled: as the body of a function, as a script of its own, or as a module. */
type Kind = "body" | "script" | "module";

/** A parsed text. */
interface Parsed {
  readonly body: readonly AnyNode[];
  /** How many lines stand before the first line of the text. */
  readonly linesBefore: number;
}

/**
 * Parses a text as a script thread compiles it. `undefined` if it cannot be parsed: the script engine itself
 * is the judge of syntax, and has found it right or reported it.
 */
function parseText(text: string, kind: Kind): Parsed | undefined {
  if (kind === "module") return tryToParse(text, { ...OPTIONS, sourceType: "module" });
  if (kind === "script") return tryToParse(text, OPTIONS);
  return parseBody(text, "function") ?? parseBody(text, "async function");
}

/** The body in a function: there `return`, `arguments` and `new.target` mean what they mean in a script. */
function parseBody(text: string, keyword: string): Parsed | undefined {
  const parsed = tryToParse(`(${keyword} () {\n${text}\n})`, OPTIONS);
  const [statement] = parsed?.body ?? [];
  if (statement?.type !== "ExpressionStatement" || statement.expression.type !== "FunctionExpression") return undefined;
  return { body: statement.expression.body.body, linesBefore: 1 };
}

function tryToParse(text: string, options: Options): Parsed | undefined {
  try {
    return { body: parse(text, options).body, linesBefore: 0 };
  } catch (error) {
    // A script that is nested too deeply exhausts the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether a file is an ES module: by its name, or by what stands in it. */
function isEsModule(file: string, text: string): boolean {
  return file.endsWith(".mjs") || /^\s*(?:export|import)\b(?!\s*\()/m.test(text);
}
