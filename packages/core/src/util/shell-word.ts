import { visible } from "./visible.js";

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "'": "\\'" };

/**
 * A name as a word of the shell, for a command that somebody copies from a message. What a message would
 * show in another way, such as a line break, stands as an escape in `$'…'`: bash, zsh and ksh read that.
 */
export function shellWord(name: string): string {
  if (/^[\w@%+=:,./-]+$/.test(name)) return name;
  if (isShown(name)) return `'${name.replaceAll("'", "'\\''")}'`;
  // A space behind a space is lost where a text is folded.
  return `$'${[...name].map((it, i, all) => (it === " " && all[i - 1] === " " ? bytes(it) : escaped(it))).join("")}'`;
}

/** Whether a message shows a text as it is: as one line, with each space. */
const isShown = (text: string): boolean => visible(text) === text && text.replace(/\s+/g, " ") === text;

function escaped(character: string): string {
  return SHORT[character] ?? (isShown(character) ? character : bytes(character));
}

/** Bytes mean the same in every locale. */
function bytes(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/**
 * A command of ojm for people to copy, such as `ojm unlock NAME --reason …`. The options are words already. A
 * name that begins with a dash would be read as an option: it comes last, behind two dashes.
 */
export function ojmCommand(command: string, name: string, ...options: readonly string[]): string {
  const word = shellWord(name);
  return ["ojm", command, ...(name.startsWith("-") ? [...options, "--", word] : [word, ...options])].join(" ");
}

/** An option with a value that may begin with a dash. */
export function optionWord(option: string, value: string): string {
  return `${option}${value.startsWith("-") ? "=" : " "}${shellWord(value)}`;
}
