import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Masker } from "./masker.js";

function masker(...secrets: readonly string[]): Masker {
  const one = new Masker();
  one.add(secrets);
  return one;
}

/** The output of a stream for these pieces, piece by piece, and at the end. */
function shown(one: Masker, pieces: readonly string[]): string[] {
  const stream = one.stream();
  return [...pieces.map((piece) => stream.write(piece)), stream.end()];
}

const KEY =
  "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\nAgEAAoIBAQC7VJTUt9Us8cKj\nab=\n-----END KEY-----\n";

describe("a secret in a text is masked by its value", () => {
  test.each([
    ["as it is", "hunter2", "a hunter2, b", "a ***, b"],
    ["twice", "hunter2", "hunter2hunter2 hunter2", "*** ***"],
    ["in JSON", 'hun"ter\\2', JSON.stringify({ a: 'hun"ter\\2' }), '{"a":"***"}'],
    ["in a URL", "hun ter/2?&é", `x=${encodeURIComponent("hun ter/2?&é")}`, "x=***"],
    ["in a form", "hun ter/2", new URLSearchParams({ a: "hun ter/2" }).toString(), "a=***"],
    ["in a URL with small hexadecimals", "hun/ter?", "hun%2fter%3f", "***"],
    ["in HTML", "hunter=2", "<b>hunter&#x3D;2</b>", "<b>***</b>"],
    ["in base64", "hunter2", Buffer.from("hunter2").toString("base64"), "***"],
    ["in base64 for URLs", "hun??>>>ter2", Buffer.from("hun??>>>ter2").toString("base64url"), "***"],
  ])("%s", (_, secret, text, masked) => expect(masker(secret).mask(text)).toBe(masked));

  test("in base64 within a longer text, as in a header of basic authentication", () => {
    for (const user of ["a", "jo", "joe", "anna"]) {
      const header = Buffer.from(`${user}:hunter2-hunter2\n`).toString("base64");
      const masked = masker("hunter2-hunter2").mask(header);
      // The characters at both ends act as the neighbours of the secret.
      expect(masked).toMatch(/^.{0,8}\*\*\*.{0,4}$/);
      expect(Buffer.from(masked, "base64").toString()).not.toMatch(/hunter/);
    }
  });

  test("each line of a secret of several lines, and the whole in base64 as `base64` breaks it", () => {
    const one = masker(KEY);
    expect(one.mask(KEY.replaceAll("\n", "|"))).toBe("***|***|***|ab=|***|");
    expect(one.mask(JSON.stringify(KEY))).toBe('"***\\n***\\n***\\nab=\\n***\\n"');
    const wrapped = Buffer.from(KEY).toString("base64").replace(/.{76}/g, "$&\n").split("\n");
    expect(wrapped.slice(0, -1).map((line) => one.mask(line))).toEqual(wrapped.slice(0, -1).map(() => "***"));
  });

  test("a large part of a long secret", () => {
    const long = Array.from({ length: 50 }, (_, i) => `k${i}`).join("-");
    expect(masker(long).mask(`a${long.slice(0, 130)}`)).toBe(`a***${long.slice(128, 130)}`);
    expect(masker(long).mask(`${long}!`)).toBe("***!");
  });

  test("two secrets that overlap leave nothing of either", () => {
    expect(masker("abcdef", "defghi").mask("xabcdefghix")).toBe("x***x");
    expect(masker("abcd", "abcdef").mask("xabcdefx")).toBe("x***x");
  });

  test("a secret of four characters, in each form", () => {
    const one = masker("ab/d");
    expect(one.mask("a ab/d b")).toBe("a *** b");
    expect(one.mask("a ab%2Fd b")).toBe("a *** b");
    expect(shown(one, ["a a", "b/d b"]).join("")).toBe("a *** b");
  });

  test.each(["abc", "", "\n\n"])("a secret of fewer than four characters stays: %j", (secret) => {
    expect(masker(secret).mask(`a ${secret} b`)).toBe(`a ${secret} b`);
  });
});

describe("a secret in output that comes in pieces is masked", () => {
  test("wherever it is cut", () => {
    const text = "a hunter2-long b\n";
    for (let at = 0; at <= text.length; at++) {
      for (let next = at; next <= text.length; next++) {
        const pieces = [text.slice(0, at), text.slice(at, next), text.slice(next)];
        expect(shown(masker("hunter2-long"), pieces).join("")).toBe("a *** b\n");
      }
    }
  });

  test("a long one too, wherever it is cut", () => {
    const long = Array.from({ length: 60 }, (_, i) => `k${i}`).join("-");
    for (let at = 0; at <= long.length; at++) {
      const text = shown(masker(long), [`a ${long.slice(0, at)}`, `${long.slice(at)} b`]).join("");
      expect(text).toBe("a *** b");
    }
  });

  test("nothing else is held back: a line without an end is shown at once", () => {
    expect(shown(masker("hunter2"), ["Name? ", "...", "h", "i\n", "hunt"])).toEqual([
      "Name? ",
      "...",
      "",
      "hi\n",
      "",
      "hunt",
    ]);
  });

  test("without secrets, every piece is shown as it comes", () => {
    expect(shown(masker(), ["a", "b\nc"])).toEqual(["a", "b\nc", ""]);
  });

  test("a secret that is written again and again without an end does not fill the memory", () => {
    const stream = masker("hunter2").stream();
    let length = 0;
    for (let i = 0; i < 1_000; i++) length += stream.write("hunter2".repeat(100)).length;
    expect(length).toBeGreaterThan(0);
    expect(stream.end().length).toBeLessThan(1_000);
  });
});

test("masking takes time that grows with the text, not with its square", () => {
  const one = masker(KEY, "hunter2");
  const costOf = (times: number): number => {
    const text = "MIIEvQIBADAN hunt ".repeat(times);
    const start = process.cpuUsage();
    one.mask(text);
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  const least = (times: number): number => Math.min(...[1, 2, 3].map(() => costOf(times)));
  expect(least(32_000) / least(2_000)).toBeLessThan(64);
});

/* Secrets as the encoders of other languages write them: no part of them may stay visible. */

const SEED = Number(process.env["OJM_SEED"] ?? 20_261_129);
const COUNT = 300;

/** Secrets of one line, with all characters that encoders treat specially. */
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

/** The text around an encoded secret. */
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
  test.skipIf(noPython !== "")(`by Python${noPython}`, { tags: ["full"] }, () => {
    const out = execFileSync("python3", ["-c", PYTHON], { input: JSON.stringify(secrets), encoding: "utf8" });
    const all = JSON.parse(out) as Readonly<Record<string, readonly string[]>>;
    for (const [encoder, texts] of Object.entries(all)) expectHidden(encoder, (_, i) => texts[i] ?? "");
  });

  test.skipIf(noBash !== "")(`by bash${noBash}`, { tags: ["full"] }, () => {
    const script = 'for s in "$@"; do printf "%q\\n" "$s"; printf "%s\\n" "${s@Q}"; done';
    for (const locale of ["C.UTF-8", "C"]) {
      const env = { ...process.env, LC_ALL: locale };
      const lines = execFileSync("bash", ["-c", script, "bash", ...secrets], { env, encoding: "utf8" }).split("\n");
      expectHidden(`printf %q, ${locale}`, (_, i) => lines[2 * i] ?? "");
      expectHidden(`\${s@Q}, ${locale}`, (_, i) => lines[2 * i + 1] ?? "");
    }
  });

  /** The encoders as the documents of Go and PHP describe them, so that this test needs neither. */
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

  test("by Go: encoding/json, url.QueryEscape, url.PathEscape, hex", { tags: ["full"] }, () => {
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

  test("by PHP: json_encode with its flags, escapeshellarg", { tags: ["full"] }, () => {
    for (const flags of [[], ["SLASHES"], ["UNICODE"], ["SLASHES", "UNICODE"], ["HEX"], ["HEX", "SLASHES"]])
      expectHidden(`json_encode ${flags.join(" ")}`, (secret) => php(secret, new Set(flags)));
    expectHidden("escapeshellarg", (secret) => `'${secret.replaceAll("'", "'\\''")}'`);
  });
});
