import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { groups } from "../command-line/commands.js";
import { codesOf, EXIT_CODES } from "./facts.js";
import { manPage } from "./man-page.js";
import { markdown } from "./markdown.js";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const all = groups.flatMap(([, specs]) => specs);

describe("the documents that are made from the table of commands", () => {
  test("docs/reference/commands.md is what the table says; --update writes it", async () => {
    await expect(markdown(groups)).toMatchFileSnapshot(at("../../docs/reference/commands.md"));
  });

  test("man/ojm.1 is what the table says; --update writes it", async () => {
    await expect(manPage(groups)).toMatchFileSnapshot(at("man/ojm.1"));
  });

  test("the package installs the man page", () => {
    const { man, files } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { man: string; files: string[] };
    expect([man, files]).toEqual(["./man/ojm.1", expect.arrayContaining(["man"])]);
  });

  test.each(all.map((spec) => [spec.name, spec] as const))(
    "ojm %s has an example, and exit codes that are explained",
    (_, spec) => {
      expect(spec.examples ?? []).not.toEqual([]);
      const explained = EXIT_CODES.flatMap(({ code }) => code.split(", "));
      expect(explained).toEqual(expect.arrayContaining([...codesOf(spec)]));
    },
  );

  test("each line of the man page is ASCII, and a macro that man(7) knows or text", () => {
    const macros = manPage(groups)
      .split("\n")
      .flatMap((line) => /^\.(\S+)/.exec(line)?.[1] ?? []);
    expect([...new Set(macros)].sort()).toEqual([
      "B",
      "PP",
      "RE",
      "RS",
      "SH",
      "SS",
      "TH",
      "TP",
      '\\"',
      "fi",
      "hy",
      "nf",
      "nh",
    ]);
  });
});
