/* The command lines of ojm that documents ask readers to type. */

export interface CommandLine {
  readonly document: string;
  /** The words after `ojm`. */
  readonly words: readonly string[];
  /** The exit code that the document states: `(exit code 1: a job failed)`. */
  readonly code: number;
}

/** A line to type: `ojm` and a command. In a sentence about ojm, an English word follows instead. */
const TYPED = /^(?:\$ )?(?:npx (?:-y |--yes )?)?(?:ojm|@ojm\/cli) (.*)$/;

/**
 * The command lines of a document. In Markdown they are in code blocks and in inline `code`; in other files,
 * in comments.
 */
export function commandLines(document: string, text: string): CommandLine[] {
  const lines = document.endsWith(".md") ? ofMarkdown(text) : ofComments(text);
  return lines.flatMap((line) => read(document, line));
}

function ofMarkdown(text: string): string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of text.split("\n")) {
    const [, mark] = /^ *(`{3,}|~{3,})/.exec(line) ?? [];
    if (mark !== undefined && (fence === undefined || mark === fence)) fence = fence === undefined ? mark : undefined;
    else if (fence !== undefined) lines.push(line.trim());
    else lines.push(...[...line.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll("\\|", "|")));
  }
  return lines;
}

function ofComments(text: string): string[] {
  return (text.match(/^ *#.*$/gm) ?? []).map((line) => line.replace(/^ *# */, ""));
}

/** The commands of ojm in a line, which may be joined by `&&`, `;` or `|`. */
function read(document: string, line: string): CommandLine[] {
  const [, exit] = /\(exit code (\d+)/.exec(line) ?? [];
  const typed = line.replace(/(?: {2,}| #).*$/, "").split(/ *(?:&&|;|\|) */);
  return typed.flatMap((part) => {
    const [, behind] = TYPED.exec(part.replace(/ >.*$/, "").trim()) ?? [];
    if (behind === undefined) return [];
    return [{ document, words: wordsOf(behind), code: Number(exit ?? 0) }];
  });
}

/** Values for the placeholders of a synopsis. All optional parts are taken. */
const STAND_INS: Readonly<Record<string, string>> = { FILE: "jobs.yaml", COMMAND: "run", N: "3" };

function wordsOf(behind: string): string[] {
  const words = behind.replace(/[[\]…]/g, " ").match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => STAND_INS[word] ?? word.replace(/["']/g, ""));
}
