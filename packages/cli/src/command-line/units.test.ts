import { expect, test } from "vitest";
import { given } from "../testing/given.js";
import { countOption, permitsOption, spanOption, timeOption } from "./units.js";

test.each([
  ["0", 0],
  ["250ms", 250],
  ["90s", 90_000],
  ["10m", 600_000],
  ["10min", 600_000],
  ["1.5h", 5_400_000],
  ["1h30m", 5_400_000],
  ["30d", 30 * 86_400_000],
  ["2w", 14 * 86_400_000],
])("a duration of %s is %d ms", async (text, ms) => {
  expect(spanOption(await given("prune", "--older-than", text), "older-than")).toBe(ms);
});

test.each(["", "10", "h", "-1h", "1h-", "tomorrow", "1y"])("a duration of %j is refused", async (text) => {
  const words = await given("prune", `--older-than=${text}`);
  expect(() => spanOption(words, "older-than")).toThrow("--older-than takes a duration with its unit");
});

test("a time is a duration from now, a time of day, or in ISO 8601", async () => {
  const now = Date.UTC(2026, 10, 25);
  const time = async (text: string, sign: 1 | -1): Promise<number | undefined> =>
    timeOption(await given("runs", "--since", text), "since", now, sign);
  expect(await time("2h", -1)).toBe(now - 7_200_000);
  expect(await time("2h", 1)).toBe(now + 7_200_000);
  expect(await time("2026-11-24T02:00Z", -1)).toBe(Date.UTC(2026, 10, 24, 2));
  // Without a zone, a time and a day are local.
  expect(await time("2026-11-24T02:00", -1)).toBe(new Date(2026, 10, 24, 2).getTime());
  expect(await time("2026-11-24", -1)).toBe(new Date(2026, 10, 24).getTime());
  // A time of day: the last one, or the next one.
  expect(await time("02:00Z", -1)).toBe(Date.UTC(2026, 10, 24, 2));
  expect(await time("02:00Z", 1)).toBe(Date.UTC(2026, 10, 25, 2));
  expect(await time("00:00Z", -1)).toBe(now);
  expect(await time("00:00Z", 1)).toBe(Date.UTC(2026, 10, 26));
  const [last = 0, next = 0] = [await time("02:00", -1), await time("02:00", 1)];
  expect([last, next].map((at) => new Date(at).getHours())).toEqual([2, 2]);
  expect(last <= now && now < next).toBe(true);
  expect(timeOption(await given("runs"), "since", now, -1)).toBeUndefined();
  for (const text of ["yesterday", "2026-13-01", "24:00"])
    await expect(time(text, -1)).rejects.toThrow("--since takes a duration such as 2h");
});

test("a count is a whole number from 1 up", async () => {
  expect(countOption(await given("runs", "-n", "3"), "limit")).toBe(3);
  for (const text of ["0", "-1", "x", "1.5", "1e3"]) {
    const words = await given("runs", `--limit=${text}`);
    expect(() => countOption(words, "limit")).toThrow("--limit takes a whole number from 1 up");
  }
});

test.each([
  [["a=1,b=2"], 'one name and its limit, such as stripe=10, not "a=1,b=2". For several, repeat the option'],
  [["a=1=2"], "one name and its limit"],
  [["a=1", "b=2", "a=2"], '--permit gives two limits for "a": give one'],
])("the permits %j are refused", async (words, text) => {
  const all = await given("exec", "job", ...words.flatMap((word) => ["--permit", word]));
  expect(() => permitsOption(all)).toThrow(text);
});
