import { expect, test } from "vitest";
import { Refusal } from "./refusal.js";
import { LaunchTokens, RateLimit, Sessions } from "./sessions.js";

test("a launch token has 256 bits, and is good once, for a minute", () => {
  let now = 0;
  const tokens = new LaunchTokens(() => now);
  const token = tokens.create();
  expect(Buffer.from(token, "base64url").length).toBe(32);
  expect(tokens.take(`${token}x`)).toBe(false);
  expect(tokens.take(token)).toBe(true);
  expect(tokens.take(token)).toBe(false);
  const late = tokens.create();
  now = 60_000;
  expect(tokens.take(late)).toBe(false);
  const first = tokens.create();
  for (let i = 0; i < 10; i++) tokens.create();
  expect(tokens.take(first)).toBe(false);
});

test("a session is good for twelve hours, until it is ended, and only with its signature", () => {
  let now = 0;
  const sessions = new Sessions("a secret", "scope", () => now);
  const { value, maxAge } = sessions.create();
  expect(maxAge).toBe(12 * 3_600);
  const id = sessions.idOf(value);
  expect(id).toBeDefined();
  expect(new Sessions("a secret", "scope", () => now).idOf(value)).toBe(id);
  expect(new Sessions("a secret", "another scope", () => now).idOf(value)).toBeUndefined();
  expect(new Sessions("another", "scope", () => now).idOf(value)).toBeUndefined();
  expect(new Sessions(undefined, "scope", () => now).idOf(value)).toBeUndefined();
  const [name = "", , signature = ""] = value.split(".");
  expect(sessions.idOf(`${name}.99999999999999.${signature}`)).toBeUndefined();
  for (const odd of ["", "a.b.c", value.slice(1), `${value}x`, undefined]) expect(sessions.idOf(odd)).toBeUndefined();
  now = 12 * 3_600_000 - 1;
  expect(sessions.idOf(value)).toBe(id);
  const other = sessions.create().value;
  now += 1;
  expect(sessions.idOf(value)).toBeUndefined();
  now -= 1;
  sessions.end(id ?? "");
  expect(sessions.idOf(value)).toBeUndefined();
  expect(sessions.idOf(other)).toBeDefined();
  // It stays ended as long as its cookie is valid.
  now = 12 * 3_600_000 - 1;
  sessions.end("another");
  expect(sessions.idOf(value)).toBeUndefined();
});

test("a session that was ended stays ended when others are", () => {
  const sessions = new Sessions("a secret", "scope");
  const values = [1, 2, 3].map(() => sessions.create().value);
  for (const value of values) sessions.end(sessions.idOf(value) ?? "");
  expect(values.map((value) => sessions.idOf(value))).toEqual([undefined, undefined, undefined]);
});

test("an address has ten attempts a minute to log in, and all have a hundred", () => {
  let now = 0;
  const limit = new RateLimit(() => now);
  for (let i = 0; i < 10; i++) limit.check("a");
  expect(() => limit.check("a")).toThrow(Refusal);
  limit.check("b");
  now = 60_000;
  limit.check("a");
  for (let i = 0; i < 99; i++) limit.check(`c${i}`);
  expect(() => limit.check("d")).toThrow(/wait 60 s/);
});
