import type { SourceFile } from "../../text/source-file.js";

/** An error of the YAML parser. */
interface ParserError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** What is wrong, in the words of a job file, and at which offset. */
export interface Explained {
  readonly message: string;
  readonly offset: number;
}

/** Says what to do about an error of the YAML parser. The commonest mistakes have words of their own. */
export function explain({ code, message, pos }: ParserError, { text }: SourceFile): Explained {
  const [offset] = pos;
  const saying = (words: string, at = offset): Explained => ({ message: words, offset: at });
  if (code === "TAB_AS_INDENT") return saying("a tab is used for indentation. YAML allows spaces only.");
  if (code === "MULTIPLE_DOCS") return saying("a second YAML document starts here (---). A job file is one document.");
  // The parser has exhausted the stack, and reports that as an error in the file.
  if (message.includes("call stack")) return saying("this is nested too deeply for a job file.");
  const rest = text.slice(offset).split("\n", 1)[0] ?? "";
  if (code === "BLOCK_AS_IMPLICIT_KEY" && /:(?:\s|$)/.test(rest)) {
    return saying(
      'a colon with a blank behind it, in a text without quotes, makes a map of it. Quote the text, or write a script in the lines below "exec: |".',
    );
  }
  const star = code === "BAD_ALIAS" || message.includes("alias") ? starBefore(text, offset) : undefined;
  if (star !== undefined) return saying(unquotedStar(text, star), star);
  return saying(`this is not valid YAML: ${oneLine(message)}`);
}

/** What is said of an alias that leads nowhere. One that is no word is the start of a schedule. */
export function noAnchor(name: string): string {
  return /^[\p{L}\p{N}_-]+$/u.test(name)
    ? `there is no anchor &${name} before this alias.`
    : unquotedStar(`*${name}`, 0);
}

/** What is said of a text that begins with a star, at this offset. */
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

/** A message of the parser, which may have several lines. */
export function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}
