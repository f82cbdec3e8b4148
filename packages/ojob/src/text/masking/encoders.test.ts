import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Masker } from "./masker.js";

/* Secrets as the encoders of other languages write them: nothing of them may be left. */

const SEED = Number(process.env["OJM_SEED"] ?? 20_261_129);
const COUNT = 300;

/** Secrets of one line, with all that encoders treat in a way of their own. */
const character = fc.oneof(
  fc.constantFrom(..."abzAZ019"),
  fc.constantFrom(..." !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
  fc.constantFrom("é", "ß", "€", "日", "😀", "\u2028", "\u007f", "\t", "\b", "\f", "\u0001", "\u001b"),
);
const secrets = fc
  .sample(fc.array(character, { minLength: 4, maxLength: 40 }), { seed: SEED, numRuns: 4 * COUNT })
  .map((parts) => parts.join(""))
  .filter((secret) => secret.trim() === secret && secret.length >= 4)
  .slice(0, COUNT);

/** What stands around an encoded secret. */
const AROUND = /^[$'"]*|['"]*$/g;

function expectHidden(encoder: string, encode: (secret: string, index: number) => string): void {
  for (const [index, secret] of secrets.entries()) {
    const masker = new Masker();
    masker.add([secret]);
    const text = encode(secret, index);
    const masked = masker.mask(`{${text}}`).slice(1, -1);
    const what = `${encoder} of ${JSON.stringify(secret)} (OJM_SEED=${SEED}): ${text} is shown as ${masked}`;
    expect(masked.replace(AROUND, ""), what).toBe("***");
  }
}

const PYTHON = `
import base64, json, shlex, sys, urllib.parse
encoders = {
  "json.dumps": json.dumps,
  "json.dumps, ensure_ascii=False": lambda s: json.dumps(s, ensure_ascii=False),
  "urllib.parse.quote": urllib.parse.quote,
  "urllib.parse.quote, safe=''": lambda s: urllib.parse.quote(s, safe=""),
  "urllib.parse.quote_plus": urllib.parse.quote_plus,
  "shlex.quote": shlex.quote,
  "bytes.hex": lambda s: s.encode().hex(),
  "base64": lambda s: base64.b64encode(s.encode()).decode(),
}
secrets = json.load(sys.stdin)
print(json.dumps({name: [encode(s) for s in secrets] for name, encode in encoders.items()}))
`;

const noPython = spawnSync("python3", ["--version"]).status === 0 ? "" : ": python3 is not installed";
const noBash = spawnSync("bash", ["--version"]).status === 0 ? "" : ": bash is not installed";

describe("a secret as other languages encode it is masked", () => {
  test.skipIf(noPython !== "")(`by Python${noPython}`, () => {
    const out = execFileSync("python3", ["-c", PYTHON], { input: JSON.stringify(secrets), encoding: "utf8" });
    const all = JSON.parse(out) as Readonly<Record<string, readonly string[]>>;
    for (const [encoder, texts] of Object.entries(all)) expectHidden(encoder, (_, i) => texts[i] ?? "");
  });

  test.skipIf(noBash !== "")(`by bash${noBash}`, () => {
    const script = 'for s in "$@"; do printf "%q\\n" "$s"; printf "%s\\n" "${s@Q}"; done';
    for (const locale of ["C.UTF-8", "C"]) {
      const env = { ...process.env, LC_ALL: locale };
      const lines = execFileSync("bash", ["-c", script, "bash", ...secrets], { env, encoding: "utf8" }).split("\n");
      expectHidden(`printf %q, ${locale}`, (_, i) => lines[2 * i] ?? "");
      expectHidden(`\${s@Q}, ${locale}`, (_, i) => lines[2 * i + 1] ?? "");
    }
  });

  /** As the documents of Go and PHP describe their encoders: neither is needed to run this test. */
  const unit = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const SHORT: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const go = (secret: string, isOld: boolean): string => {
    const short = isOld ? SHORT : { ...SHORT, "\b": "\\b", "\f": "\\f" };
    const one = (it: string): string => short[it] ?? (it < " " || "<>&\u2028\u2029".includes(it) ? unit(it) : it);
    return `"${[...secret].map(one).join("")}"`;
  };
  const php = (secret: string, flags: ReadonlySet<string>): string => {
    const short = { ...SHORT, "\b": "\\b", "\f": "\\f", ...(flags.has("SLASHES") ? {} : { "/": "\\/" }) };
    const hex: Readonly<Record<string, string>> = flags.has("HEX")
      ? { "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "'": "\\u0027", '"': "\\u0022" }
      : {};
    const isEscaped = (it: string): boolean =>
      flags.has("UNICODE") ? it < " " || "\u2028\u2029".includes(it) : it < " " || it > "\u007f";
    const one = (it: string): string =>
      hex[it] ?? (short as Readonly<Record<string, string>>)[it] ?? (isEscaped(it) ? unit(it) : it);
    return `"${secret.split("").map(one).join("")}"`;
  };

  test("by Go: encoding/json, url.QueryEscape, url.PathEscape, hex", () => {
    expectHidden("json.Marshal", (secret) => go(secret, false));
    expectHidden("json.Marshal before Go 1.22", (secret) => go(secret, true));
    const percent = (secret: string, kept: string, space: string): string =>
      [...secret]
        .map((it) => {
          if (/^[A-Za-z0-9]$/.test(it) || kept.includes(it)) return it;
          if (it === " ") return space;
          return [...Buffer.from(it)].map((b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`).join("");
        })
        .join("");
    expectHidden("url.QueryEscape", (secret) => percent(secret, "-_.~", "+"));
    expectHidden("url.PathEscape", (secret) => percent(secret, "-_.~$&+=:@", "%20"));
    expectHidden("%X", (secret) => Buffer.from(secret).toString("hex").toUpperCase());
  });

  test("by PHP: json_encode with its flags, escapeshellarg", () => {
    for (const flags of [[], ["SLASHES"], ["UNICODE"], ["SLASHES", "UNICODE"], ["HEX"], ["HEX", "SLASHES"]])
      expectHidden(`json_encode ${flags.join(" ")}`, (secret) => php(secret, new Set(flags)));
    expectHidden("escapeshellarg", (secret) => `'${secret.replaceAll("'", "'\\''")}'`);
  });
});
