import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../run.mjs";

/** The most columns of a comment. Code may take 120, see biome.json. */
const MAX_COLUMNS = 110;

const COMMENT = /^\s*(\*|\/\/|\/\*)/;
const ADDRESS = /https?:\/\//;
const SOURCE = /\.(ts|tsx|mts|mjs|cjs|js)$/;

/** The sources whose texts people read: messages, pages, laws. */
const TEXTS = /^(?:packages\/[^/]+\/(?:src|web)|examples|test\/torture)\//;

/** In a test, only titles are checked: its other texts may be data of any words. */
const TEST = /\.test\.tsx?$/;
const DECLARES_TEST = /^(?:it|test|describe)\b/;

/** Words that comments and texts once had too many of, each with what to write instead. */
const INSTEAD = new Map([
  [/\b(tells?|told)\b/i, "reports, logs, prints, notifies, returns: what really happens"],
  [/\bgoes on\b/i, "is running, continues"],
  [/\b(nobody|somebody|anybody|whoever)\b/i, "the holder, the waiter, another process, no process"],
  [/\banew\b/i, "again"],
  [/\bwhat became of\b/i, "the outcome of"],
  [/\bcockpit\b/i, "UI"],
]);

/**
 * Prints each comment that is wide, and each comment or text with a word of {@link INSTEAD}. Returns an exit
 * code.
 */
export function checkProse() {
  const faults = sources().flatMap((file) => {
    const source = readFileSync(join(root, file), "utf8");
    const hasTexts = TEST.test(file) || TEXTS.test(file);
    return [...commentFaults(file, source), ...(hasTexts ? textFaults(file, source) : [])];
  });
  for (const each of faults) console.error(each);
  return faults.length === 0 ? 0 : 1;
}

function commentFaults(file, source) {
  return source.split("\n").flatMap((line, i) => {
    if (!COMMENT.test(line)) return [];
    const at = `${file}:${i + 1}:`;
    const columns = [...line].length;
    const isWide = columns > MAX_COLUMNS && !ADDRESS.test(line);
    return [
      ...(isWide ? [`${at} a comment of ${columns} columns, at most ${MAX_COLUMNS}`] : []),
      ...wordFaults(`${at} in a comment`, line),
    ];
  });
}

/** Checks string literals, templates and the text of JSX. Without a space it may be an identifier. */
function textFaults(file, source) {
  if (![...INSTEAD.keys()].some((word) => word.test(source))) return [];
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const faults = [];
  const check = (node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node) || ts.isJsxText(node);
    if (isText && node.text.includes(" ")) {
      const { line } = parsed.getLineAndCharacterOfPosition(node.getStart(parsed));
      faults.push(...wordFaults(`${file}:${line + 1}: in a text`, node.text));
    }
    ts.forEachChild(node, check);
  };
  const checkTitles = (node) => {
    const title = ts.isCallExpression(node) ? node.arguments[0] : undefined;
    const isTitle = title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title));
    if (isTitle && DECLARES_TEST.test(node.expression.getText(parsed))) check(title);
    ts.forEachChild(node, checkTitles);
  };
  (TEST.test(file) ? checkTitles : check)(parsed);
  return faults;
}

function wordFaults(at, text) {
  // Code in prose is as it is.
  const prose = text.replace(/`[^`]*`/g, "");
  return [...INSTEAD].flatMap(([word, better]) => {
    const found = word.exec(prose);
    return found === null ? [] : [`${at}: "${found[0]}", write ${better}`];
  });
}

function sources() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => SOURCE.test(file) && existsSync(join(root, file)));
}
