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

const idOf = (from: Sessions, cookie: string | undefined): string | undefined => from.find(cookie)?.id;

test("a session is good for twelve hours, until it is ended, and only with its signature", () => {
  let now = 0;
  const sessions = new Sessions("a secret", "scope", () => now);
  const { value, maxAge } = sessions.create();
  expect(maxAge).toBe(12 * 3_600);
  const id = idOf(sessions, value);
  expect(id).toBeDefined();
  expect(idOf(new Sessions("a secret", "scope", () => now), value)).toBe(id);
  expect(idOf(new Sessions("a secret", "another scope", () => now), value)).toBeUndefined();
  expect(idOf(new Sessions("another", "scope", () => now), value)).toBeUndefined();
  expect(idOf(new Sessions(undefined, "scope", () => now), value)).toBeUndefined();
  const [name = "", end = "", user = "", signature = ""] = value.split(".");
  expect(idOf(sessions, `${name}.${end}.${user}.${signature}`)).toBe(id);
  expect(idOf(sessions, `${name}.99999999999999.${user}.${signature}`)).toBeUndefined();
  expect(idOf(sessions, `${name}.${end}.YW5h.${signature}`)).toBeUndefined();
  for (const odd of ["", "a.b.c", value.slice(1), `${value}x`, undefined]) expect(idOf(sessions, odd)).toBeUndefined();
  now = 12 * 3_600_000 - 1;
  expect(idOf(sessions, value)).toBe(id);
  const other = sessions.create().value;
  now += 1;
  expect(idOf(sessions, value)).toBeUndefined();
  now -= 1;
  sessions.end(id ?? "");
  expect(idOf(sessions, value)).toBeUndefined();
  expect(idOf(sessions, other)).toBeDefined();
  // It stays ended as long as its cookie is valid.
  now = 12 * 3_600_000 - 1;
  sessions.end("another");
  expect(idOf(sessions, value)).toBeUndefined();
});

test("a session that was ended stays ended when others are", () => {
  const sessions = new Sessions("a secret", "scope");
  const values = [1, 2, 3].map(() => sessions.create().value);
  for (const value of values) sessions.end(idOf(sessions, value) ?? "");
  expect(values.map((value) => idOf(sessions, value))).toEqual([undefined, undefined, undefined]);
});

test("a session belongs to its user, as long as the seal is the same", () => {
  const sessions = new Sessions("a secret", "scope");
  const { value } = sessions.create("ana", "her line");
  expect(sessions.find(value, (user) => (user === "ana" ? "her line" : undefined))?.user).toBe("ana");
  for (const seal of ["another line", "", undefined]) expect(sessions.find(value, () => seal)).toBeUndefined();
  // Characters moved between the user and the seal make another session.
  const { value: other } = sessions.create("an", "a her line");
  expect(sessions.find(other, () => "her line")).toBeUndefined();
});

test("an address has ten attempts a minute to log in, and all have a hundred", () => {
  let now = 0;
  const limit = new RateLimit(() => now);
  for (let i = 0; i < 10; i++) limit.check("a");
  expect(() => limit.check("a")).toThrow(Refusal);
  limit.check("b");
  now = 60_000;
  limit.check("a");
  // A right password does not count.
  for (let i = 0; i < 20; i++) {
    limit.check("a");
    limit.forgive("a");
  }
  for (let i = 0; i < 99; i++) limit.check(`c${i}`);
  expect(() => limit.check("d")).toThrow(/wait 60 s/);
});
