import { isSecretName, maskUrls } from "@ojm/core/internal";
import { describe, expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";
import { maskLine, shownArgs } from "./secrets.js";

describe("secrets in URLs", () => {
  test.each([
    ["redis://:hunter2@host:6379/0", "redis://:***@host:6379/0"],
    ["rediss://joe:hunter2@host", "rediss://joe:***@host"],
    ["redis://joe:hun@ter/2@host", "redis://joe:***@host"],
    ["redis://:12345@host", "redis://:***@host"],
    ["/srv/redis:/:hunter2@host", "/srv/redis:/:***@host"],
    ["https://ghp_hunter2@github.com/a.git", "https://***@github.com/a.git"],
    ["https://host/a?user=joe&access_token=hunter2&b=1#c", "https://host/a?user=joe&access_token=***&b=1#c"],
    ["at postgres://a:hunter2@one/x and amqp://b:hunter2@two", "at postgres://a:***@one/x and amqp://b:***@two"],
  ])("the secret in a URL is masked: %s", (text, shown) => expect(maskUrls(text)).toBe(shown));

  test.each(["http://host:8080/@scope/a:b", "redis://host:6379/0", "mail joe@host: 12:30", "file:///a/b"])(
    "a text without a secret in a URL stays as it is: %s",
    (text) => expect(maskUrls(text)).toBe(text),
  );

  test("masking secrets takes time that grows with the text, not with its square", { tags: ["full"] }, () => {
    const parts = ["://a:b", "a", "://", "?a=", "password=", '"token":"', "-----BEGIN PRIVATE KEY-----"];
    // Other work of this process disturbs some of the measurements, but not the smallest one.
    const least = (times: number): number => Math.min(...[1, 2, 3].map(() => costOf(parts, times)));
    // Sixteen times the text takes sixteen times the work, not 256 times.
    expect(least(16_000) / least(1_000)).toBeLessThan(64);
  });

  /** The CPU time to show texts that repeat a part this many times, in µs. */
  function costOf(parts: readonly string[], times: number): number {
    const start = process.cpuUsage();
    for (const part of parts) shownArgs(part.repeat(times));
    const { user, system } = process.cpuUsage(start);
    return user + system;
  }
});

test("names of secrets, such as apiKey, are distinguished from other names, such as keyPrefix", () => {
  const secret = [
    "password",
    "Password",
    "dbPass",
    "redis_pass",
    "pwd",
    "clientSecret",
    "TOKEN",
    "accesstoken",
    "apiKey",
  ];
  secret.push("api-key", "APIKEY", "auth", "Authorization", "sentinelPassword", "private_key", "set-cookie");
  const open = ["author", "bypass", "compass", "passed", "key", "keyPrefix", "authority", "tokenizer", "name", "url"];
  expect(secret.filter((name) => !isSecretName(name))).toEqual([]);
  expect(open.filter(isSecretName)).toEqual([]);
});

describe("arguments that are shown", () => {
  test("secrets in arguments are masked, at whatever depth", () => {
    const args = {
      chLocks: { type: "redis", args: { url: "redis://:hunter2@h", password: "hunter2" } },
      list: [{ apiKey: 12345, auth: { username: "joe", password: "hunter2" } }],
      map: new Map([["a", { token: "hunter2" }]]),
      header: "Authorization: Bearer hunter2",
      dsn: "host=h password='hunter2 2' user=joe",
      json: '{"user":"joe","password":"hunter2"}',
      cert: "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
      pin: "hunter2",
    };
    const text = shownArgs(args, ["pin"]);
    expect(text).not.toMatch(/hunter2|12345/);
    expect(JSON.parse(text)).toMatchObject({
      chLocks: { type: "redis", args: { url: "redis://:***@h", password: "***" } },
      list: [{ apiKey: "***", auth: "***" }],
      dsn: "host=h password=*** user=joe",
      pin: "***",
    });
  });

  test("arguments that are not secret, and empty secrets, are shown as they are", () => {
    const args = { n: 1, t: "a text: with, words", list: [null, true, { password: "", token: null, auth: false }] };
    expect(shownArgs(args)).toBe(JSON.stringify(args));
  });

  test("arguments are shown even if they hold a bigint, a circle, a date or very deep lists", () => {
    const circle: Record<string, unknown> = { n: 1n };
    circle["self"] = circle;
    expect(shownArgs(circle)).toBe('{"n":"1","self":"…"}');
    expect(shownArgs({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(shownArgs(deep)).toBe('"…"');
  });
});

test("secrets in a shown line of a job file are masked; a template is not a secret", () => {
  expect(maskLine("  chLocks: { args: { url: redis://:hunter2@h } }")).toBe(
    "  chLocks: { args: { url: redis://:***@h } }",
  );
  expect(maskLine("    password: hunter2, and more")).toBe("    password: ***");
  expect(maskLine('  { "apiKey": "hunter2", user: joe }')).toBe('  { "apiKey": ***, user: joe }');
  expect(maskLine("    password: '{{secrets.db}}'")).toBe("    password: '{{secrets.db}}'");
  expect(maskLine("  { user: joe, password: hunter2 }")).toBe("  { user: joe, password: ***");
  const sources = "  secrets: { password: { env: DB_PASSWORD }, apiKey: { file: ./s/api-key } }";
  expect(maskLine(sources)).toBe(sources);
  // The text before a place locates it within the line.
  for (let at = 0; at < sources.length; at++) expect(maskLine(sources.slice(0, at))).toBe(sources.slice(0, at));
  expect(maskLine("    secrets: [dbPassword, { name: apiKey, env: API_KEY }]")).toContain("API_KEY }]");
  expect(maskLine("  secrets: { password: { env: A }, token: hunter2 }")).toBe(
    "  secrets: { password: { env: A }, token: ***",
  );
});

describe("passwords in the output", () => {
  const URL_WITH = "redis://:hunter2@127.0.0.1:1/0";
  const hidden = async (yaml: string, args = {}): Promise<string> => {
    const text = await runText(yaml, { args }).then(
      ({ out, err }) => out + err,
      (error: Error) => error.message,
    );
    expect(text).not.toMatch(/hunter2/);
    return text;
  };

  test("logArgs masks passwords", async () => {
    const yaml = `ojob: { logArgs: true }\n${script("log('a')")}`;
    const text = await hidden(yaml, { url: URL_WITH, db: { password: "hunter2" } });
    expect(text).toMatch(/args of "Job": \{"url":"redis:\/\/:\*\*\*@127.0.0.1:1\/0","db":\{"password":"\*\*\*"\}\}/);
  });

  test("logArgs masks an argument that the help of the job calls secret", async () => {
    const help = "    help: { text: a, expects: [{ name: pin, desc: b, secret: true }] }";
    expect(await hidden(`ojob: { logArgs: true }\n${script("log('a')", help)}`, { pin: "hunter2" })).toMatch(
      /"pin":"\*\*\*"/,
    );
  });

  test("a password in the error of a script, or in the line that is shown with it, is masked", async () => {
    const text = await hidden(script(`throw new Error("cannot reach ${URL_WITH}")`));
    expect(text).toMatch(/cannot reach redis:\/\/:\*\*\*@127\.0\.0\.1:1/);
  });

  test("a password in the error of an argument check is masked", async () => {
    const checks = "    check: { in: { password: isNumber, url: isNumber } }";
    expect(await hidden(script("log('a')", checks), { password: "hunter2", url: 1 })).toMatch(
      /"password" must be.*\*\*\*/,
    );
    expect(await hidden(script("log('a')", checks), { password: 1, url: URL_WITH })).toMatch(/"url" must be.*:\*\*\*@/);
  });

  test("a password in a problem of a job file, or in the line that is shown with it, is masked", async () => {
    const text = await hidden(`ojob: { numThreads: ${URL_WITH} }\n${script("log('a')")}`);
    expect(text).toMatch(/the text "redis:\/\/:\*\*\*@127/);
    expect(text).toMatch(/1 \| ojob: \{ numThreads: redis:\/\/:\*\*\*@127\.0\.0\.1:1\/0 \}\n {5} \| {21}\^/);
    const long = `${"x".repeat(200)} `;
    await hidden(
      `jobs: [{ name: A, exec: "a" , nosuch: "${long}redis://:hunter2${"y".repeat(120)}@h" }]\ntodo: [A, B]\n`,
    );
  });

  test("a password in the error of a channel that cannot be opened is masked", async () => {
    const text = await hidden(
      `ojob: { channels: { create: [{ name: c, type: sqlite, args: { file: "/proc/none/${URL_WITH}" } }] } }\n${script("log('a')")}`,
    );
    expect(text).toMatch(/the channel "c" of ojob\.channels cannot be opened/);
  });
});
