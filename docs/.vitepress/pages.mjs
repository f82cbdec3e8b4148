import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the pages: `docs`, or the copy of it that scripts/docs.mjs builds from. */
export const DOCS = fileURLToPath(new URL("..", import.meta.url));

/**
 * The sections of the site, in the order of the sidebar. `order` names the pages and folders that come first.
 * In a folder with a page of its own, the pages that it links to follow, in its order. All others follow by
 * title, so a new page needs no entry. `under` puts the pages of another folder below a page.
 */
const SECTIONS = [
  { title: "Start", folder: "start", order: ["what-is-ojm", "ways-in", "choose-a-store"] },
  { title: "Tutorials", folder: "tutorials" },
  {
    title: "How-to",
    folder: "how-to",
    order: [
      "run-as-a-service",
      "stop-and-deploy",
      "fence-your-writes",
      "once-per-tick",
      "once-per-key",
      "queue",
      "trigger",
      "batch",
      "at-most-n-at-once",
      "at-most-n-per-minute",
      "alerts",
      "metrics",
    ],
  },
  { title: "On call", folder: "on-call" },
  {
    title: "Reference",
    folder: "reference",
    order: [
      "commands",
      "exec",
      "exit-codes",
      "config-file",
      "job-file",
      "typescript",
      "schedules",
      "queues",
      "cron",
      "stores",
    ],
  },
  {
    title: "Understand",
    folder: "understand",
    order: ["how-a-run-works", "a-lost-lease", "schedules-and-ticks", "retries", "guarantees"],
  },
  { title: "Proof", folder: "proof", order: ["how-it-is-tested", "fault-matrix", "faults-found", "benchmarks"] },
  {
    title: "Project",
    folder: "project",
    order: ["compare", "changes", "upgrading", "support", "security", "contributing", "decisions"],
    under: { decisions: "adr" },
  },
];

/** The titles of folders. Others have that of their index. */
const FOLDERS = { "job-file": "Job file", typescript: "TypeScript", stores: "Stores", api: "API" };

/**
 * The sections with their pages, each with its path from `docs`, its title, its first sentence, and the pages
 * below it. Pages of no section are in a last one.
 */
export function sections() {
  const taken = new Set(SECTIONS.flatMap(({ folder, under = {} }) => [folder, ...Object.values(under)]));
  const listed = SECTIONS.map(({ title, folder, order, under }) => {
    const index = indexOf(folder);
    return { title, items: [...(index === undefined ? [] : [pageOf(index)]), ...itemsOf(folder, order, under)] };
  });
  const more = itemsOf("").filter(({ name }) => name !== "index" && !taken.has(name));
  return [...listed, { title: "More", items: more }].filter(({ items }) => items.length > 0);
}

/** The first page. */
export const home = () => pageOf("index.md");

/** All pages below these items, themselves included. */
export const pagesOf = (items) =>
  items.flatMap(({ items: below, ...page }) => [...(page.path === undefined ? [] : [page]), ...pagesOf(below)]);

/** The path of the page of a folder itself, if it has one. */
export function indexOf(folder) {
  return ["README.md", "index.md"].map((name) => join(folder, name)).find((path) => existsSync(join(DOCS, path)));
}

/** The pages in a folder, and the folders in it, without its own page. */
function itemsOf(folder, order = [], under = {}) {
  if (!existsSync(join(DOCS, folder))) return [];
  const items = readdirSync(join(DOCS, folder)).flatMap((entry) => {
    const path = join(folder, entry);
    if (entry.startsWith(".")) return [];
    if (statSync(join(DOCS, path)).isDirectory()) {
      const index = indexOf(path);
      const page = index === undefined ? { title: entry } : pageOf(index);
      const items = itemsOf(path);
      if (index === undefined && items.length === 0) return [];
      return [{ ...page, name: entry, title: FOLDERS[entry] ?? page.title, items }];
    }
    const name = entry.replace(/\.md$/, "");
    if (name === entry || (folder !== "" && ["README", "index"].includes(name))) return [];
    return [{ ...pageOf(path), name, items: name in under ? itemsOf(under[name]) : [] }];
  });
  const turns = [...order, ...linkedFrom(folder)];
  const turn = ({ name }) => (turns.includes(name) ? turns.indexOf(name) : turns.length);
  return items.sort((one, other) => turn(one) - turn(other) || one.title.localeCompare(other.title, "en"));
}

/** The names of the pages of a folder, in the order in which its own page links to them. */
function linkedFrom(folder) {
  const index = folder === "" ? undefined : indexOf(folder);
  if (index === undefined) return [];
  const links = readFileSync(join(DOCS, index), "utf8").matchAll(/\]\((?:\.\/)?([\w.-]+)\.md[#)]/g);
  return [...links].map(([, name]) => name);
}

function pageOf(path) {
  const text = readFileSync(join(DOCS, path), "utf8").replace(/^---\n[\s\S]*?\n---\n/, "");
  const heading = /^# (.+)$/m.exec(text);
  if (heading === null) throw new Error(`docs/${path}: the page has no heading of the first level`);
  const rest = text.slice(heading.index + heading[0].length).replace(/<!--[\s\S]*?-->|^```[\s\S]*?^```$/gm, "");
  // Not a heading, a table, a list or a quotation.
  const paragraph = rest.split(/\n{2,}/).find((part) => /^\s*(?:[^\s#|>!\-*\d]|\*\*)/.test(part)) ?? "";
  return { path, title: plain(heading[1]), sentence: firstSentence(plain(paragraph)), items: [] };
}

/** A text without the marks of Markdown. */
function plain(text) {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`|\*\*|\\(?=[<>_*[\]|])/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function firstSentence(text) {
  return /^.*?[.:!?](?= [A-Z]|$)/.exec(text)?.[0] ?? text;
}
