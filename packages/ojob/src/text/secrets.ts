import { isSecretName, MASK, maskUrls } from "@ojm/core/internal";

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,20000}/g;
const QUOTED = String.raw`"(?:[^"\\\n]|\\.){0,1024}"|'[^'\n]{0,1024}'`;

/** Names with a value behind them, and that value. */
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

/** A template is no secret: its value is filled in later. */
const TEMPLATE = /^["']?\{\{[^}]*\}\}\}?["']?[\s,}\]]*$/;
/** Nor is the place from which a secret comes, or the beginning of one in a line that is cut. */
const SOURCE = /^\{\s{0,3}(?:(?:env|file):[^{},]*(?:\}|$)|[a-z]{0,4}$)/;

function maskPairs(text: string, { name, value }: Pairs): string {
  let shown = "";
  let at = 0;
  name.lastIndex = 0;
  for (let pair = name.exec(text); pair !== null; pair = name.exec(text)) {
    value.lastIndex = name.lastIndex;
    const [found] = value.exec(text) ?? [];
    // After a name that is no secret's there may be others, as in { user: joe, password: hunter2 }.
    if (found === undefined || !isSecretPair(pair[1] ?? "", found)) continue;
    shown += text.slice(at, name.lastIndex) + MASK;
    at = value.lastIndex;
    name.lastIndex = at;
  }
  return shown + text.slice(at);
}

function isSecretPair(name: string, value: string): boolean {
  // `secrets` of a job file holds names of secrets, and where they come from.
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
 * secrets: before a part of one is taken for a password, and the rest is shown.
 */
export function shownArgs(
  args: unknown,
  secrets: readonly string[] = [],
  hide: (text: string) => string = (text) => text,
): string {
  try {
    return JSON.stringify(masked(args, { secrets, hide }, [])) ?? String(args);
  } catch {
    // The nesting is too deep for anybody to read.
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

/** Whether there is a value to hide. Its absence, or a boolean, gives nothing away. */
function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && typeof value !== "boolean";
}
