/** The pages about job files, the functions of OpenAF and the config file have what the code has. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderWith, temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { ENVIRONMENT } from "../packages/cli/src/reference/facts.js";
import { locate } from "../packages/cli/src/store/locate.js";
import { called } from "../packages/cli/src/testing/called.js";
import { checkJobFile } from "../packages/ojob/src/index.js";
import { SHORTCUTS } from "../packages/ojob/src/shortcuts/table.js";
import * as openaf from "../packages/openaf/src/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const JOB_FILE = "docs/reference/job-file";
const jobFilePages = readdirSync(join(ROOT, JOB_FILE)).map((name) => read(`${JOB_FILE}/${name}`));

/** The cells of a row of a table, in which `\|` is a bar. */
const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

/** The rows of all tables of a page whose first head is the given one. */
function rowsUnder(page: string, head: string): string[][] {
  return page.split(/\n{2,}/).flatMap((block) => {
    const [first = "", , ...rows] = block.split("\n").filter((line) => line.startsWith("|"));
    return cellsOf(first)[0] === head ? rows.map(cellsOf) : [];
  });
}

/** The words that are `code` in a text, without what follows a colon or a bracket in one. */
const codeWords = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replace(/[:(].*$/, ""));

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [key: string]: unknown;
}

/** The first map within a schema that has a key. */
function mapWith(schema: unknown, key: string): Schema | undefined {
  if (typeof schema !== "object" || schema === null) return undefined;
  const { properties } = schema as Schema;
  if (properties !== undefined && Object.hasOwn(properties, key)) return schema as Schema;
  for (const part of Object.values(schema)) {
    const found = mapWith(part, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

const schema = JSON.parse(read("packages/ojob/job-file.schema.json")) as Schema;
const keysOf = (map: Schema | undefined): string[] => Object.keys(map?.properties ?? {}).sort();

describe("the pages of a job file", () => {
  const file = keysOf(schema);
  const job = mapWith(schema.properties?.["jobs"], "typeArgs");
  it.each([
    ["the file", file],
    ["a job", keysOf(job)],
    ["`typeArgs`", keysOf(job?.properties?.["typeArgs"])],
    ["`ojob`", keysOf(schema.properties?.["ojob"])],
  ] as const)("every key of %s is in a table, and no table has another key", (of, keys) => {
    const words = jobFilePages
      .flatMap((page) => rowsUnder(page, `key of ${of}`))
      .flatMap(([cell = ""]) => codeWords(cell));
    expect(keys.length).toBeGreaterThan(7);
    expect([...new Set(words)].sort()).toEqual(keys);
  });

  const examples = jobFilePages
    .flatMap((page) => [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text))
    .filter((text) => /^(?:jobs|todo):/m.test(text));
  it("every example of a job file can be run as far as ojm check knows", async () => {
    expect(examples.length).toBeGreaterThan(12);
    const folder = folderWith({ ".env": "", "shoes.env": "" });
    for (const [i, text] of examples.entries()) {
      const file = join(folder, `${i}.yaml`);
      writeFileSync(file, text);
      await expect(checkJobFile(file, { prepare: prepareType }), text).resolves.toBeDefined();
    }
  });

  const shortcutRows = rowsUnder(read(`${JOB_FILE}/shortcuts.md`), "shortcut");
  it("every shortcut is in the table, with its options", () => {
    const documented = shortcutRows.flatMap(([names = "", options = ""]) =>
      [...names.matchAll(/`\((\w+)\)/g)].map(([, name = ""]) => [name, codeWords(options).sort()] as const),
    );
    const known = Object.entries(SHORTCUTS).map(([name, { options }]) => [name, Object.keys(options).sort()] as const);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(known));
  });
});

describe("the page of the functions of OpenAF", () => {
  const lines = read("docs/reference/openaf-functions.md").match(/^(?:\||## ).*$/gm) ?? [];
  const words = new Set(
    lines.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].flatMap(([, code = ""]) => code.split(/[^\w$]+/))),
  );

  it("every function of @ojm/openaf is in a table", () => {
    const names = Object.keys(openaf);
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it("every field of io, af and ow is in a table", () => {
    const fields = (map: object): string[] =>
      Object.entries(map).flatMap(([name, value]) => [
        name,
        ...(typeof value === "object" && value !== null ? fields(value) : []),
      ]);
    const names = [openaf.io, openaf.af, openaf.ow].flatMap((map) => fields(map as object));
    expect(names.length).toBeGreaterThan(150);
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });
});

describe("the page of the config file", () => {
  const page = read("docs/reference/config-file.md");

  it("the page of the config file has every variable, with its meaning", () => {
    const documented = rowsUnder(page, "variable").map(([name = "", text = ""]) =>
      [name, text].map((cell) => cell.replaceAll("`", "")),
    );
    expect(documented).toEqual(expect.arrayContaining(ENVIRONMENT.map((one) => [...one])));
  });

  it("the page of the config file has every key of it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "ojm.config.json"), '{ "stroe": "sqlite:a.db" }');
    const { err } = await called(folder, ["ps"]);
    const [, keys = ""] = /It may have: ([\w, ]+)/.exec(err) ?? [];
    expect(
      rowsUnder(page, "key")
        .map(([key = ""]) => codeWords(key)[0])
        .sort(),
    ).toEqual(keys.split(", ").sort());
  });

  it("every text of a store on the page of the config file is understood", () => {
    const texts = rowsUnder(page, "text").flatMap(([cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text),
    );
    expect(texts.length).toBeGreaterThan(6);
    for (const text of texts) expect(() => locate(text, "/srv")).not.toThrow();
  });
});
