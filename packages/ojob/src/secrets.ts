/** What stands in the place of a secret. */
const MASK = "***";

/** Words that say of a name that its value is secret: `authToken`, `redis_pass`, `api-key`. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  ..."pass password passwd passphrase pwd pw secret secrets token tokens".split(" "),
  ..."auth authorization credential credentials cookie cookies jwt".split(" "),
]);

/** The same where a name does not show where its words begin: `apikey`, `ACCESSTOKEN`, `dbpassword`. */
const SECRET_PARTS = /password|passwd|passphrase|secret|apikey|accesskey|privatekey|authkey|authorization|token$/;

/** Whether what a name stands for is secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return words.some((word) => SECRET_WORDS.has(word)) || SECRET_PARTS.test(words.join(""));
}

// Bounded everywhere: a text of megabytes must not take the square of its length.
const USER_AND_PASSWORD = /(:\/\/?[^\s/?#@:]{0,256}):(?!\d{1,5}(?:[/?#\s]|$))\S{0,1024}@/g;
const USER_ALONE = /:\/\/[^\s/?#@:]{1,256}@/g;
const QUERY = /([?&]([\w.-]{1,64})=)[^\s&#"']{1,1024}/g;

/** A text without the passwords, tokens and the like of the URLs in it. */
export function maskUrls(text: string): string {
  return text
    .replace(USER_AND_PASSWORD, `$1:${MASK}@`)
    .replace(USER_ALONE, `://${MASK}@`)
    .replace(QUERY, (all, before: string, name: string) => (isSecretName(name) ? before + MASK : all));
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,20000}/g;
const QUOTED = String.raw`"(?:[^"\\\n]|\\.){0,1024}"|'[^'\n]{0,1024}'`;
const EQUALS = new RegExp(
  String.raw`(?<![\w.-])([A-Za-z_][\w.-]{0,63})(\s{0,3}=\s{0,3})(${QUOTED}|[^\s&;,]{1,1024})`,
  "g",
);
const COLON = new RegExp(
  String.raw`(?<![\w.-])([A-Za-z_][\w.-]{0,63})(["']?\s{0,3}:\s{0,3})(${QUOTED}|[^\n]{1,1024})`,
  "g",
);
/** Filled in later: what it is filled with is secret, not the template. */
const TEMPLATE = /^["']?\{\{[^}]*\}\}\}?["']?[\s,}\]]*$/;

function maskPairs(text: string, pairs: RegExp): string {
  return text.replace(pairs, (all, name: string, between: string, value: string) =>
    isSecretName(name) && !TEMPLATE.test(value) ? `${name}${between}${MASK}` : all,
  );
}

/** A line of a job file as a message may show it. */
export function maskLine(line: string): string {
  return maskPairs(maskUrls(line), COLON);
}

function maskText(text: string): string {
  return maskPairs(maskPairs(maskUrls(text).replace(PRIVATE_KEY, MASK), EQUALS), COLON);
}

/**
 * Arguments as JSON for people, without what is secret in them: what a name of {@link isSecretName} stands for, at whatever
 * depth, and passwords within texts. `secrets` are further names.
 */
export function shownArgs(args: unknown, secrets: readonly string[] = []): string {
  try {
    return JSON.stringify(masked(args, secrets, [])) ?? String(args);
  } catch {
    // Nested so deep that nobody could read it.
    return '"…"';
  }
}

function masked(value: unknown, secrets: readonly string[], above: readonly object[]): unknown {
  if (typeof value === "string") return maskText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) return "…";
  const within = [...above, value];
  if (Array.isArray(value)) return value.map((item) => masked(item, secrets, within));
  if (value instanceof Map || value instanceof Set) return masked([...value], secrets, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return masked(toJSON.call(value), secrets, within);
  const entries = Object.entries(value).map(([name, item]) => {
    const secret = isSecretName(name) || secrets.includes(name);
    return [name, secret && isSomething(item) ? MASK : masked(item, secrets, within)] as const;
  });
  return Object.fromEntries(entries);
}

/** That there is none, or whether there is one, gives nothing away. */
function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && typeof value !== "boolean";
}
