import { isSecretName, MASK, maskUrls } from "@ojm/core/internal";

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,20000}/g;
const QUOTED = String.raw`"(?:[^"\\\n]|\\.){0,1024}"|'[^'\n]{0,1024}'`;

/** Patterns of names that are followed by a value, and of that value. */
interface Pairs {
  readonly name: RegExp;
  readonly value: RegExp;
}

const NAME = String.raw`(?<![\w.-])([A-Za-z_][\w.-]{0,63})`;
const EQUALS: Pairs = {
  name: new RegExp(String.raw`${NAME}\s{0,3}=\s{0,3}`, "g"),
  value: new RegExp(String.raw`${QUOTED}|[^\s&;,]{1,1024}`, "y"),
};
const COLON: Pairs = {
  name: new RegExp(String.raw`${NAME}["']?\s{0,3}:\s{0,3}`, "g"),
  value: new RegExp(String.raw`${QUOTED}|[^\n]{1,1024}`, "y"),
};

/** A template is not a secret: its value is filled in later. */
const TEMPLATE = /^["']?\{\{[^}]*\}\}\}?["']?[\s,}\]]*$/;
/** Neither is the source of a secret, or the beginning of a source in a truncated line. */
const SOURCE = /^\{\s{0,3}(?:(?:env|file):[^{},]*(?:\}|$)|[a-z]{0,4}$)/;

function maskPairs(text: string, { name, value }: Pairs): string {
  let shown = "";
  let at = 0;
  name.lastIndex = 0;
  for (let pair = name.exec(text); pair !== null; pair = name.exec(text)) {
    value.lastIndex = name.lastIndex;
    const [found] = value.exec(text) ?? [];
    // Other names may follow a name that is not that of a secret, as in { user: joe, password: hunter2 }.
    if (found === undefined || !isSecretPair(pair[1] ?? "", found)) continue;
    shown += text.slice(at, name.lastIndex) + MASK;
    at = value.lastIndex;
    name.lastIndex = at;
  }
  return shown + text.slice(at);
}

function isSecretPair(name: string, value: string): boolean {
  // `secrets` of a job file contains names of secrets, and their sources.
  if (!isSecretName(name) || (name === "secrets" && /^[[{]/.test(value))) return false;
  return !TEMPLATE.test(value) && !SOURCE.test(value);
}

/** A line of a job file for a message, without secrets. */
export function maskLine(line: string): string {
  return maskPairs(maskUrls(line), COLON);
}

function maskText(text: string): string {
  return maskPairs(maskPairs(maskUrls(text).replace(PRIVATE_KEY, MASK), EQUALS), COLON);
}

/**
 * Arguments as JSON for people, without secrets. At any depth, it masks the values of names for which {@link
 * isSecretName} is true, and passwords within texts. `secrets` are further names. `hide` masks the values of
 * secrets first: otherwise a part of one could be masked as a password, and the rest shown.
 */
export function shownArgs(
  args: unknown,
  secrets: readonly string[] = [],
  hide: (text: string) => string = (text) => text,
): string {
  try {
    return JSON.stringify(masked(args, { secrets, hide }, [])) ?? String(args);
  } catch {
    // Deeper nesting would be unreadable.
    return '"…"';
  }
}

interface Hiding {
  readonly secrets: readonly string[];
  readonly hide: (text: string) => string;
}

function masked(value: unknown, hiding: Hiding, above: readonly object[]): unknown {
  if (typeof value === "string") return maskText(hiding.hide(value));
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) return "…";
  const within = [...above, value];
  if (Array.isArray(value)) return value.map((item) => masked(item, hiding, within));
  if (value instanceof Map || value instanceof Set) return masked([...value], hiding, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return masked(toJSON.call(value), hiding, within);
  const entries = Object.entries(value).map(([name, item]) => {
    const secret = isSecretName(name) || hiding.secrets.includes(name);
    return [name, secret && isSomething(item) ? MASK : masked(item, hiding, within)] as const;
  });
  return Object.fromEntries(entries);
}

/** Whether there is a value to hide. A missing value or a boolean reveals nothing. */
function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && typeof value !== "boolean";
}
