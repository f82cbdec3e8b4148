import { describe, expect, test } from "vitest";
import { expressions } from "../testing/run.js";
import { fromDate, toDate } from "./dates.js";
import { printf } from "./text.js";

const DATE = new Date("2026-02-03T04:05:06.007Z");

describe("dates", () => {
  test.each([
    ["yyyy-MM-dd HH:mm:ss.SSS", "2026-02-03 04:05:06.007"],
    ["yyyyMMdd'T'HHmmss", "20260203T040506"],
    ["d/M/yy h:m:s a", "3/2/26 4:5:6 AM"],
    ["EEE, EEEE MMM MMMM", "Tue, Tuesday Feb February"],
    ["D u Z X XXX z", "34 2 +0000 Z Z UTC"],
    ["''yyyy'' 'o''clock'", "'2026' o'clock"],
  ])("a date is written by the pattern %s", (pattern, text) => {
    expect(fromDate(DATE, pattern, "UTC")).toBe(text);
  });

  test("a date is written and read in a time zone", () => {
    const summer = new Date("2026-07-01T10:00:00Z");
    expect(fromDate(summer, "yyyy-MM-dd HH:mm Z XXX", "Europe/Lisbon")).toBe("2026-07-01 11:00 +0100 +01:00");
    expect(fromDate(summer, "HH:mm", "GMT-3")).toBe("07:00");
    expect(toDate("2026-07-01 11:00", "yyyy-MM-dd HH:mm", "Europe/Lisbon")).toEqual(summer);
    expect(toDate("2026-07-01T12:00:00+0200", "yyyy-MM-dd'T'HH:mm:ssZ")).toEqual(summer);
    expect(toDate("260701", "yyMMdd", "UTC")).toEqual(new Date("2026-07-01T00:00:00Z"));
    expect(toDate("1 Jul 2026 01:30 PM", "d MMM yyyy hh:mm a", "UTC")).toEqual(new Date("2026-07-01T13:30:00Z"));
    expect(toDate("2026-03-29 03:30", "yyyy-MM-dd HH:mm", "Europe/Paris")).toEqual(new Date("2026-03-29T01:30:00Z"));
  });

  test("a text that is not a date of that format is an error, and so is an unknown letter", () => {
    expect(() => toDate("x", "yyyy")).toThrow('"x" is not a date of that format: a number is expected, not "x"');
    expect(() => fromDate(DATE, "W")).toThrow('the letter "W" is not part of a date format');
    expect(() => fromDate("no date", "yyyy")).toThrow("this is not a date: no date");
  });
});

test("$f fills a format of Java's Formatter", () => {
  expect(printf("%s|%5d|%-5s|%05.1f|%,d|%x|%+d|%%|%n", "a", 42, "b", 3.14, 1234567, 255, 7)).toBe(
    "a|   42|b    |003.1|1,234,567|ff|+7|%|\n",
  );
  expect(printf("%2$s %1$s", "a", "b")).toBe("b a");
  expect(printf("%tF", DATE)).toBe(fromDate(DATE, "yyyy-MM-dd"));
  expect(() => printf("%d", "x")).toThrow("a number is expected in a format, not x");
});

test("ow.format writes numbers, bytes and times shorter, and reads them", async () => {
  const wanted = {
    "[ow.format.toBytesAbbreviation(0), ow.format.toBytesAbbreviation(1536), ow.format.toBytesAbbreviation(123456789)]":
      ["0 bytes", "1.5 KB", "118 MB"],
    '[ow.format.fromBytesAbbreviation("1.5 KB"), ow.format.fromBytesAbbreviation("1KB", true), ow.format.fromBytesAbbreviation("2MiB")]':
      [1536, 1000, 2097152],
    "[ow.format.toAbbreviation(1234), ow.format.toAbbreviation(999999), ow.format.toAbbreviation(12)]": [
      "1.23k",
      "1m",
      12,
    ],
    '[ow.format.fromSIAbbreviation("1.5k"), ow.format.fromTimeAbbreviation("1h30m")]': [1500, 5400000],
    "[ow.format.round(1.256, 2), ow.format.toNumberSpacing(1234567.8), ow.format.addNumberSeparator(1234567)]": [
      "1.26",
      "1 234 567.8",
      "1,234,567",
    ],
    '[ow.format.toHex(255, 4), ow.format.fromHex("ff"), ow.format.toBinary(5), ow.format.toOctal(8)]': [
      "00ff",
      255,
      "101",
      "10",
    ],
    "[ow.format.elapsedTime4ms(3723004), ow.format.elapsedTime4ms(3723004, { abrev: true }), ow.format.elapsedTime(0, 1000)]":
      ["1 hour, 2 minutes, 3 seconds, 4 ms", "1h2m3s4ms", "1 second"],
    "ow.format.timeago(Date.now() - 3 * 3600000)": "3 hours ago",
    '[ow.format.int2IP(3232235777), ow.format.IP2int("192.168.1.1")]': ["192.168.1.1", 3232235777],
    "ow.format.percentile([1, 2, 3, 4], 0.5)": 2.5,
    'ow.format.fromISODate("2020-01-02T12:34:56.123456789Z")': "date 2020-01-02T12:34:56.123Z",
    'ow.format.fromISODate("2020-01-02T12:34:56.Z")': "date 2020-01-02T12:34:56.000Z",
    "ow.loadFormat().dateDiff.inHours(new Date(0), new Date(7300000))": 2,
    'ow.format.fromDate(ow.format.toDate("2026-01-31", "yyyy-MM-dd"), "dd/MM/yyyy")': "31/01/2026",
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("ow.format pads, wraps, compares and escapes texts", async () => {
  const wanted = {
    '[ow.format.string.leftPad("5", 3), ow.format.string.rightPad("a", 3, " ")]': ["005", "a  "],
    'ow.format.string.wordWrap("one two three", 8)': "one two\nthree",
    '[ow.format.string.wildcardTest("file.TXT", "*.txt"), ow.format.string.closest("jbo", ["job", "zzz"])]': [
      true,
      "job",
    ],
    "ow.format.escapeHTML(\"<a b='c'>\")": "&lt;a b&#x3D;&#x27;c&#x27;&gt;",
    'ow.format.escapeRE("a.b*")': "a\\.b\\*",
    '(list => [ow.format.sortSemanticVersions(list).join(" "), list[0]])(["2.0.0", "1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-rc", "1.0.0-9", "1.10.0", "1.9.0"])':
      ["1.0.0-9 1.0.0-rc 1.0.0-rc.2 1.0.0-rc.10 1.0.0 1.9.0 1.10.0 2.0.0", "1.0.0-9"],
    '$path(["1.0.0", "1.0.0-rc.1", "1.0.0-beta"], "sort_semver(@)")': ["1.0.0-beta", "1.0.0-rc.1", "1.0.0"],
    '[ow.format.compareVersion("1.10.0", "1.9"), ow.format.checkVersionSpec("1.5", ">=1.2, <2")]': [1, true],
    '[ow.format.isEmail("a@b.de"), ow.format.isURL("http://a"), ow.format.isIPv4("1.2.3.4"), ow.format.isIPv6("1.2.3.4")]':
      [true, true, true, false],
    'ow.format.toBase64("äb") + ow.format.fromBase64("w6Ri")': "w6Riäb",
    "typeof ow.format.isWindows() + typeof ow.format.getHostName() + ow.format.string.genPass(8).length":
      "booleanstring8",
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("ow.format.withSideLine puts a line beside a text, or a frame around it", async () => {
  const wanted = {
    'ow.format.withSideLine("a\\nb", 20)': "│ a\n│ b",
    'ow.format.withSideLine("ab", 8, "", "", ow.format.withSideLineThemes().closedRect)':
      "┌──────┐\n│ ab   │\n└──────┘",
    'ow.format.withSideLine("ab", 12, "", "", ow.format.withSideLineThemes().openRect, { header: "H" })':
      "┌  H       ┐\n│ ab       │\n└          ┘",
    "ow.format.syms().arrowright": "→",
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("hashes and codes are in hexadecimal digits", async () => {
  const wanted = {
    'md5("a")': "0cc175b9c0f1b6a831c399e269772661",
    'sha1("a")': "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
    'md5(af.fromString2InputStream("a"))': "0cc175b9c0f1b6a831c399e269772661",
    "md5({ a: 1 })": "thrown this takes a text, bytes or a stream, not a map",
    'sha256("a")': "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    'sha512("a").length + sha384("a").length': 224,
    'hmacSHA256("data", "key", true)': "5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0",
    'hmacSHA256("data", "key").length': 32,
  };
  expect(await expressions(wanted)).toEqual(wanted);
});
