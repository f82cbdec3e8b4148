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
