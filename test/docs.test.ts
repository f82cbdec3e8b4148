/**
 * The site of docs, as `npm run docs` builds it.
 *
 * @module-tag full
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "@ojm/testing/folder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What VitePress's search in the browser uses of its library. */
interface Search {
  search(query: string, options: object): { readonly id: string }[];
}

interface SearchLibrary {
  loadJSON(json: string, options: object): Search;
}

describe("the site of the documentation", () => {
  let out: string;
  let files: string[];
  const read = (file: string): string => readFileSync(join(out, file), "utf8");

  beforeAll(async () => {
    out = temporaryFolder(afterAll);
    await promisify(execFile)(process.execPath, ["scripts/docs.mjs", "--out", out], { cwd: ROOT });
    files = readdirSync(out, { recursive: true, encoding: "utf8" });
  }, 600_000);

  const pages = (): string[] => files.filter((file) => file.endsWith(".html") && file !== "404.html");

  it("the build made a page of each page of docs, and one for each public entry of a package", () => {
    const written = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md") && !file.startsWith("."))
      .map((file) => file.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html"));
    expect(pages()).toEqual(expect.arrayContaining(written));
    expect(written.length).toBeGreaterThan(30);
    expect(pages()).toEqual(
      expect.arrayContaining(["reference/api/core.html", "reference/api/core.backend.html", "reference/api/ui.html"]),
    );
    expect(read("reference/api/core.html")).toContain("openJobManager");
    expect(read("project/contributing.html")).toContain("npm run check");
  });

  it("llms.txt lists every page, most of them with their first sentence", () => {
    const listed = [...read("llms.txt").matchAll(/^- \[.+?\]\(\/(.*?)\)(: .+)?$/gm)];
    const addresses = listed.map(([, path = ""]) => (/(?:^|\/)$/.test(path) ? `${path}index.html` : path));
    expect(addresses.sort()).toEqual(pages().sort());
    expect(listed.filter(([, , sentence]) => sentence !== undefined).length).toBeGreaterThan(30);
  });

  it("a link that leaves docs leads to GitHub, and one within docs to a page", () => {
    expect(read("start/choose-a-store.html")).toContain(
      'href="https://github.com/ojm-project/ojm/tree/main/examples/backend-postgres"',
    );
    expect(read("project/contributing.html")).toContain('href="/project/decisions.html"');
  });

  it.each([
    ["stuck", /on-call\/stuck\.html/],
    ["exit 75", /exit-codes\.html|on-call\/exec\.html|commands\.html|ways-in\.html/],
    ["missed", /missed|did-not-run\.html|schedules|ticks|alerts/],
    ["OJM_STORE", /on-call\/|commands\.html|command-line\.html|config-file\.html|choose-a-store\.html/],
  ])("the search finds %s", async (query, page) => {
    const found = (await search(query)).slice(0, 5).map(({ id }) => id);
    expect(found).toEqual(expect.arrayContaining([expect.stringMatching(page)]));
  });

  it("the search for a name with an underscore finds no section with a part of it only", async () => {
    const ids = (await search("OJM_STORE")).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan((await search("store")).length / 2);
  });

  it("the first page takes less than 100 KB, with the scripts and styles that it loads", () => {
    const html = read("index.html");
    const loaded = new Set([...html.matchAll(/(?:href|src)="\/(assets\/[^"]+)"/g)].map(([, file = ""]) => file));
    for (const file of loaded) {
      if (!file.endsWith(".js")) continue;
      // What a script imports at once. What it may import later is in parentheses.
      for (const [, name = ""] of read(file).matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) {
        loaded.add(join(file, "..", name));
      }
    }
    const kinds = [...loaded].map((file) => /\.\w+$/.exec(file)?.[0]);
    expect(kinds).toEqual(expect.arrayContaining([".js", ".css"]));
    const bytes = [html, ...[...loaded].map((file) => readFileSync(join(out, file)))].map(
      (text) => gzipSync(text).length,
    );
    expect(bytes.reduce((sum, one) => sum + one)).toBeLessThan(100_000);
  });

  /** Searches as the browser does: the index, and the options of the configuration. */
  async function search(query: string): Promise<{ readonly id: string }[]> {
    const [file = ""] = files.filter((name) => /localSearchIndexroot\..*\.js$/.test(name));
    const { default: json } = (await import(pathToFileURL(join(out, file)).href)) as { default: string };
    const config = (await import(pathToFileURL(join(ROOT, "docs/.vitepress/config.mjs")).href)) as {
      default: { themeConfig: { search: { options: { miniSearch: { options: object; searchOptions: object } } } } };
    };
    const { options, searchOptions } = config.default.themeConfig.search.options.miniSearch;
    const ofVitePress = createRequire(createRequire(import.meta.url).resolve("vitepress"));
    const { default: library } = (await import(pathToFileURL(ofVitePress.resolve("minisearch")).href)) as {
      default: SearchLibrary;
    };
    const fields = { fields: ["title", "titles", "text"], storeFields: ["title", "titles"] };
    return library
      .loadJSON(json, { ...fields, ...options })
      .search(query, { prefix: true, boost: { title: 4, text: 2, titles: 1 }, ...searchOptions });
  }
});
