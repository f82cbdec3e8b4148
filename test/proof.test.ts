import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { plantedBugs } from "../packages/core/src/testing/simulation/planted-bugs.js";
import { plantedBugs as scheduleBugs } from "../packages/schedule/src/testing/simulation/planted-bugs.js";
import { faultsOfAny } from "./torture/faults/index.js";
import { modes } from "./torture/scene/events.js";
import { storeKinds } from "./torture/stores/index.js";

/* The pages about guarantees and their proofs say what the tests check. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const TESTED = "docs/proof/how-it-is-tested.md";
const MATRIX = "docs/proof/fault-matrix.md";

/** The text of a section of a page, without its subsections. */
function section(page: string, heading: string): string {
  const [, text] = read(page).split(new RegExp(`^#+ ${heading}$`, "m"));
  return text?.split(/^#+ /m)[0] ?? "";
}

/** The first column of the tables in a text, without their heads and marks. */
function firstColumn(text: string): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| |"));
  return rows.map((line) => (line.split("|")[1] ?? "").replaceAll("*", "").trim());
}

describe("the promises", () => {
  const promises = firstColumn(section("docs/understand/guarantees.md", "The promises"));

  it("each promise has its proof", () => {
    expect(promises.length).toBeGreaterThan(10);
    expect(firstColumn(section(TESTED, "What proves each promise")).slice(1)).toEqual(promises);
  });

  it("each promise has the sources that keep it", () => {
    const [, ...kept] = firstColumn(section("docs/architecture.md", "Where each promise is kept"));
    expect(kept).toEqual(promises);
  });
});

describe("the torture harness", () => {
  it("the laws of the page are those of the judge", () => {
    const [, union = ""] = /export type Law =([^;]*);/.exec(read("test/torture/validate/verdict.ts")) ?? [];
    const laws = [...union.matchAll(/"([^"]*)"/g)].map(([, law]) => law);
    expect(laws).toContain("one holder");
    const named = [...section(TESTED, "What proves each promise").matchAll(/"([^"]*)"/g)].map(([, law]) => law);
    expect([...new Set(named)].sort()).toEqual(laws.sort());
  });

  it("the page has the ways to ask for a lock", () => {
    const [, ...ways] = firstColumn(section(TESTED, "A cell of the harness"));
    expect(ways).toEqual([...modes]);
  });

  it.each([
    ["Stores of one node", "matrix", storeKinds.filter(({ clustered }) => clustered === undefined)],
    ["Stores of several nodes", "clusters", storeKinds.filter(({ clustered }) => clustered !== undefined)],
    [
      "Two versions at once",
      "mixed",
      storeKinds.filter(({ clustered, lasting, isNew }) => clustered === undefined && lasting && !isNew),
    ],
  ] as const)("the matrix has each fault and each store: %s", (heading, mark, kinds) => {
    const text = section(MATRIX, heading);
    // `npm run torture -- --table` writes between these lines.
    expect(text).toMatch(new RegExp(`^<!-- ${mark} -->$[^]*^<!-- /${mark} -->$`, "m"));
    const [, ...faults] = firstColumn(text);
    expect(faults).toEqual(faultsOfAny(kinds).map(({ name }) => name));
    expect(text).toContain(`| fault | ${kinds.map(({ name }) => name).join(" | ")} |`);
  });

  it("the page names planted bugs that exist", () => {
    const text = section(TESTED, "Planted bugs");
    const bugs = [...text.matchAll(/^- (.*)$/gm)].map(([, bug]) => bug);
    expect(bugs.length).toBeGreaterThan(5);
    expect(plantedBugs.map(({ name }) => name)).toEqual(expect.arrayContaining(bugs));
    const ofSchedules = [...text.matchAll(/"([^"]*)"/g)].map(([, bug]) => bug);
    expect(ofSchedules.length).toBe(2);
    expect(scheduleBugs.map(({ name }) => name)).toEqual(expect.arrayContaining(ofSchedules));
  });
});

it("the sources that the pages of proof and the architecture name are there", () => {
  const proofs = readdirSync(join(ROOT, "docs/proof")).filter((name) => name.endsWith(".md"));
  const pages = ["docs/architecture.md", ...proofs.map((name) => `docs/proof/${name}`)];
  const paths = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:packages|test)\/[^` ]*)`/g)].map(([, path = ""]) => path),
  );
  expect(paths.length).toBeGreaterThan(30);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
