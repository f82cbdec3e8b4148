/*
 * Any program can write to a store or a job file, and a terminal obeys the text that it shows. An escape
 * sequence in a host name can clear the screen. A control character that changes the direction of writing can
 * show one name as another. A line break can forge a line.
 */

/** Control characters (C0, DEL, C1), line separators, and characters that change the direction of writing. */
const HIDDEN: RegExp = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The control characters that a text of several lines keeps. */
export const LINES = "\n\t";

const JSON_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Makes untrusted text safe for a terminal, a log or a message: a character that a terminal would obey
 * becomes an escape, such as `\u001b`. The escapes are those of JSON, so a JSON text stays JSON with the same
 * meaning. The characters of `kept` stay as they are.
 */
export function visible(text: string, kept = ""): string {
  return text.replace(HIDDEN, (character) => {
    if (kept.includes(character)) return character;
    return JSON_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A wrong value for the message of an error. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? `the text "${visible(value)}"` : visible(String(value));
}

const SHELL_ESCAPES: Readonly<Record<string, string>> = { ...JSON_ESCAPES, "\\": "\\\\", "'": "\\'" };

/**
 * A name as a word of the shell, for a command that users copy from a message. A character that a message
 * would show differently, such as a line break, becomes an escape in `$'…'`: bash, zsh and ksh read that.
 */
export function shellWord(name: string): string {
  if (/^[\w@%+=:,./-]+$/.test(name)) return name;
  if (isShown(name)) return `'${name.replaceAll("'", "'\\''")}'`;
  // Folding a text would lose a space that follows a space.
  return `$'${[...name].map((it, i, all) => (it === " " && all[i - 1] === " " ? bytes(it) : escaped(it))).join("")}'`;
}

/** Whether a message shows a text unchanged: on one line, with each space. */
const isShown = (text: string): boolean => visible(text) === text && text.replace(/\s+/g, " ") === text;

function escaped(character: string): string {
  return SHELL_ESCAPES[character] ?? (isShown(character) ? character : bytes(character));
}

/** Bytes mean the same in every locale. */
function bytes(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/**
 * A command of ojm for people to copy, such as `ojm unlock NAME --reason …`. `options` are shell words
 * already. A name that begins with a dash would be read as an option: it comes last, after `--`.
 */
export function ojmCommand(command: string, name: string, ...options: readonly string[]): string {
  const word = shellWord(name);
  return ["ojm", command, ...(name.startsWith("-") ? [...options, "--", word] : [word, ...options])].join(" ");
}

/** An option with a value that may begin with a dash. */
export function optionWord(option: string, value: string): string {
  return `${option}${value.startsWith("-") ? "=" : " "}${shellWord(value)}`;
}

/** Replaces a secret. */
export const MASK = "***";

/** A name with one of these words has a secret value: `authToken`, `redis_pass`, `api-key`. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  ..."pass password passwd passphrase pwd pw secret secrets token tokens".split(" "),
  ..."auth authorization credential credentials cookie cookies jwt".split(" "),
]);

/** The same for names whose words are not separated: `apikey`, `ACCESSTOKEN`, `dbpassword`. */
const SECRET_PARTS = /password|passwd|passphrase|secret|apikey|accesskey|privatekey|authkey|authorization|token$/;

/** Whether the value of this name is secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return words.some((word) => SECRET_WORDS.has(word)) || SECRET_PARTS.test(words.join(""));
}

// Every repetition is bounded: the time for a text of megabytes must not grow with the square of its length.
const USER_AND_PASSWORD = /(:\/\/?[^\s/?#@:]{0,256}):(?!\d{1,5}(?:[/?#\s]|$))\S{0,1024}@/g;
const USER_ALONE = /:\/\/[^\s/?#@:]{1,256}@/g;
const QUERY = /([?&]([\w.-]{1,64})=)[^\s&#"']{1,1024}/g;

/** A text without passwords, tokens and other secrets of URLs. */
export function maskUrls(text: string): string {
  return text
    .replace(USER_AND_PASSWORD, `$1:${MASK}@`)
    .replace(USER_ALONE, `://${MASK}@`)
    .replace(QUERY, (all, before: string, name: string) => (isSecretName(name) ? before + MASK : all));
}
