import { expect, test } from "vitest";
import { isChannelError } from "../errors.js";
import { nearest, rejectUnknownOptions } from "./config.js";

const KNOWN = ["file", "durability", "busyTimeout", "url"];

test.each([
  ["File", "file"],
  ["flie", "file"],
  ["fil", "file"],
  ["durabilty", "durability"],
  ["durabiltiy", "durability"],
  ["busy_timeout", "busyTimeout"],
  ["busy-timeout", "busyTimeout"],
  ["BUSYTIMEOUT", "busyTimeout"],
  ["urls", "url"],
  ["x", undefined],
  ["", undefined],
  ["somethingElse", undefined],
])("the option nearest to the word %j is %j", (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

test("of two options that are equally near to a word, the first one is suggested", () => {
  expect(nearest("job", ["jobs", "jobx"])).toBe("jobs");
  expect(nearest("a", [])).toBeUndefined();
});

test("a limit of changes excludes options that are less near to a word", () => {
  expect(nearest("prt", ["port"], 1)).toBe("port");
  expect(nearest("prt", ["port"], 0)).toBeUndefined();
  expect(nearest("Port", ["port"], 0)).toBe("port");
});

test("a word that is far too long has no nearest option, and the search takes no time", () => {
  const long = "x".repeat(100_000);
  expect(nearest(`a${long}`, [`b${long}`])).toBeUndefined();
  expect(nearest("file", [long, "fill"])).toBe("fill");
});

test("an unknown option is refused with the nearest option and the list of all options", () => {
  const refusal = (args: Record<string, unknown>, known: readonly string[]): unknown => {
    try {
      rejectUnknownOptions("sqlite", args, known);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  expect(refusal({ file: 1, url: 2 }, KNOWN)).toBeUndefined();
  const error = refusal({ file: 1, flie: 2 }, KNOWN);
  expect(isChannelError(error) && error.code).toBe("INVALID_CONFIG");
  expect((error as Error).message).toBe(
    'channel type "sqlite" has no option "flie". Did you mean "file"? It has: file, durability, busyTimeout, url.',
  );
  expect((refusal({ q: 1 }, []) as Error).message).toBe('channel type "sqlite" has no option "q". It has none.');
});
