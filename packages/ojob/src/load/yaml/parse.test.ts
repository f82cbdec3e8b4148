import { describe, expect, test, vi } from "vitest";
import { Alias, parseDocument } from "yaml";
import { load } from "../../testing/load.js";
import { JobFileError } from "../../text/problem.js";
import { Aliases, hasTooMany, MAX_NODES } from "./parse.js";

function read(yaml: string): Aliases {
  const aliases = new Aliases();
  aliases.read(parseDocument(yaml).contents);
  return aliases;
}

/** A job file that consists almost entirely of aliases. */
function manyAliases(count: number): string {
  return `a: &a { x: 1 }\nlist:\n${"  - *a\n".repeat(count)}`;
}

function problems(yaml: string): string {
  try {
    load(yaml);
    return "";
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.message;
  }
}

describe("YAML aliases", () => {
  test("an alias means the latest anchor of its name before it", () => {
    const { file } = load(
      "jobs:\n  - { name: &a A }\n  - { name: B, to: *a }\n  - { name: &a C, to: *a }\ntodo: [*a]\n",
    );
    const to = (name: string) => file.jobs.get(name)?.to.map((step) => ("job" in step ? step.job : undefined));
    expect([to("B"), to("C")]).toEqual([["A"], ["C"]]);
    expect(file.todo.map(({ job }) => job)).toEqual(["C"]);
  });

  test("an alias never means an anchor that comes after it", () => {
    expect(problems("jobs: [{ name: *a }, { name: &a A }]\n")).toContain("there is no anchor &a before this alias");
  });

  test("aliases are resolved in one walk over the document, however many there are", () => {
    const visits = (count: number): number => read(manyAliases(count)).visits;
    expect(visits(20_000) - visits(10_000)).toBe(10_000);
  });

  test("aliases are not resolved by the parser, which walks from the beginning for each of them", () => {
    const resolve = vi.spyOn(Alias.prototype, "resolve");
    load(manyAliases(10_000));
    expect(resolve).not.toHaveBeenCalled();
    resolve.mockRestore();
  });

  test.each(["*a", '"x"', "x", "[]"])(
    "a file with more pieces than any job file is refused before they are put together: %s",
    (piece) => {
      const yaml = `a: &a 1\nlist: [${`${piece},`.repeat(MAX_NODES)}]\n`;
      expect(problems(yaml)).toContain("too large");
      expect(hasTooMany(yaml)).toBe(true);
      expect(hasTooMany(`script: |\n${"  a long text, {of} [one] *piece*\n".repeat(10_000)}`)).toBe(false);
    },
  );
});
