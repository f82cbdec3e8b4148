import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { openJobManager } from "@ojm/core";
import { cronSchedule } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { EXIT } from "../packages/cli/src/errors.js";
import { EXIT_CODES } from "../packages/cli/src/reference/facts.js";
import { called } from "../packages/cli/src/testing/called.js";
import { explanationOf, WARNING_CODES } from "../packages/core/src/util/warning.js";
import { Refusal } from "../packages/ui/src/security/refusal.js";
import { commandLines } from "./support/command-lines.js";
import { folderWithStore } from "./support/store-config.js";

/* The pages of reference in docs say what the code says, and every link of a document leads somewhere. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** The files of a folder and those below it, but for installed packages, as paths from the root. */
const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => !file.includes("node_modules"));

/** The rows of the tables of a text, with their heads. */
function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The text of the section of a page. */
function section(page: string, heading: string): string {
  const [, text] = read(page).split(new RegExp(`^## ${heading}$`, "m"));
  return text?.split(/^## /m)[0] ?? "";
}

const withoutMarks = (text: string): string => text.replaceAll("`", "");

/** The sources of all packages, but for their tests. */
const sources = readdirSync(join(ROOT, "packages"))
  .filter((name) => !["bench", "conformance", "testing"].includes(name))
  .map((name) => `packages/${name}/src`)
  .filter((folder) => existsSync(join(ROOT, folder)))
  .flatMap(filesIn)
  .filter((file) => file.endsWith(".ts") && !/\.(test|child)\.ts$|\/testing\//.test(file));

/** What has each error code in the sources. */
function codesInSources(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (code: string, owner: string): void => {
    if (/^(?!SQLITE_)[A-Z][A-Z_]+\d*$/.test(code)) found.set(code, (found.get(code) ?? new Set()).add(owner));
  };
  for (const file of sources) {
    const text = read(file);
    if (!/ErrorCode\b|\bcode\b/.test(text)) continue;
    const inJobs = file.startsWith("packages/ojob/");
    const literals = (node: ts.Node): string[] => {
      if (ts.isStringLiteral(node)) return [node.text];
      return node.getChildren().flatMap(literals);
    };
    const visit = (node: ts.Node): void => {
      // The codes of a class of errors, or of the HTTP API.
      if (ts.isTypeAliasDeclaration(node) && node.name.text.endsWith("ErrorCode")) {
        const owner = node.name.text.replace(/Code$/, "");
        for (const code of literals(node.type)) add(code, owner === "Error" ? "HTTP API" : owner);
      } else if (ts.isPropertyDeclaration(node) && node.name.getText() === "code" && ts.isClassLike(node.parent)) {
        const owner = inJobs ? "JobError" : (node.parent.name?.text ?? "");
        for (const code of literals(node)) add(code, owner);
      } else if (inJobs && ts.isPropertyAssignment(node) && node.name.getText() === "code") {
        for (const code of literals(node.initializer)) add(code, "JobError");
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  for (const code of WARNING_CODES) add(code, "Warning");
  return found;
}

/**
 * What a deprecation lacks of what SUPPORT.md promises: its docstring names a warning code, and a source
 * emits a warning with that code.
 */
function deprecationFaults(texts: readonly string[], codes: readonly string[]): string[] {
  const known = codes.filter((code) => /^OJM_DEP\d{3}$/.test(code));
  const marks = texts.flatMap((text) => text.match(/@deprecated\b.*/g) ?? []);
  return [
    ...marks.filter((mark) => !known.some((code) => mark.includes(code))),
    ...known.filter((code) => !texts.some((text) => new RegExp(`emitWarning\\(\\s*"${code}"`).test(text))),
  ];
}

describe("deprecations", () => {
  it("each one in the sources has a warning code, and each code of one is emitted", () => {
    expect(deprecationFaults(sources.map(read), WARNING_CODES)).toEqual([]);
  });

  it("a deprecation without a code is found, and a code that no source emits", () => {
    const source = `/** @deprecated OJM_DEP001: call b. */\nfunction a() {\n  emitWarning("OJM_DEP001", "call b");\n}`;
    expect(deprecationFaults([source], ["OJM_DEP001", "OJM_FULL"])).toEqual([]);
    expect(deprecationFaults([source], ["OJM_FULL"])).toEqual(["@deprecated OJM_DEP001: call b. */"]);
    expect(deprecationFaults(["/** @deprecated call b. */"], ["OJM_DEP001"])).toEqual([
      "@deprecated call b. */",
      "OJM_DEP001",
    ]);
  });
});

describe("Errors and warnings A–Z", () => {
  const page = "docs/on-call/errors.md";
  const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
  const inSources = codesInSources();

  it("the codes in the sources are found", () => {
    expect([...inSources.keys()]).toEqual(
      expect.arrayContaining(["UNKNOWN_TYPE", "RELEASED", "STARTED", "REFUSED", "OJM_FULL", "METHOD"]),
    );
    expect([...(inSources.get("TIMEOUT") ?? [])].sort()).toEqual(["ChannelError", "JobError", "LockError", "RunError"]);
    expect([...(inSources.get("INVALID") ?? [])].sort()).toEqual([
      "AlertsError",
      "HTTP API",
      "QueueError",
      "RunError",
      "ScheduleError",
    ]);
  });

  it("every error and warning code has its section, no section names another, and they are in order", () => {
    expect(headings).toEqual([...inSources.keys()].sort());
  });

  it("the address that ojm prints for each code leads to its section", () => {
    const broken = [...inSources.keys()].flatMap((code) => brokenLink(page, explanationOf(code)) ?? []);
    expect(broken).toEqual([]);
    expect(brokenLink(page, explanationOf("NO_SUCH_CODE"))).toMatch(/no such heading$/);
  });

  it.each(headings)("the section %s says what has the code, the cause, and what to do", (code) => {
    const [, owners = ""] = section(page, code).split("\n\n");
    const named = withoutMarks(owners)
      .split(/[,;] (?!status)/)
      .map((owner) => owner.replace(/, status.*$/, ""));
    expect(named.sort()).toEqual([...(inSources.get(code) ?? [])].sort());
    const status = /HTTP API, status (\d+)/.exec(owners)?.[1];
    if (status !== undefined) expect(new Refusal(code as Refusal["code"], "").response().status).toBe(Number(status));
    expect(section(page, code)).toMatch(/^\*\*Cause\.\*\*[\s\S]*^\*\*What to do\.\*\* /m);
  });
});

describe("On call", () => {
  it("a lost run names the texts of errors as the sources have them", () => {
    const [, table = ""] = /^\| the error contains .*$([\s\S]*?)^$/m.exec(read("docs/on-call/lost.md")) ?? [];
    const texts = rowsOf(table).map(([text = ""]) => text);
    expect(texts.length).toBeGreaterThan(5);
    const core = sources.filter((file) => file.startsWith("packages/core/")).map(read);
    const parts = texts.flatMap((text) => text.split("…"));
    for (const part of parts) expect([part, core.some((file) => file.includes(part))]).toEqual([part, true]);
  });

  it("a job that did not run has each outcome that ojm ticks prints", () => {
    const page = read("docs/on-call/did-not-run.md");
    const shown = rowsOf(page).map(([outcome = ""]) => /^`(\w+)`$/.exec(outcome)?.[1]);
    const [, stored = ""] = /type TickOutcome = (.*);/.exec(read("packages/schedule/src/store/schema.ts")) ?? [];
    const others = ["waiting", "overdue"];
    const all = [...stored.matchAll(/"(\w+)"/g)].map(([, outcome]) => outcome);
    expect(all).toContain("missed");
    expect(shown.filter((outcome) => outcome !== undefined).sort()).toEqual([...all, ...others].sort());
    const ticks = read("packages/cli/src/commands/look/ticks.ts");
    const [, notRun = ""] = /NOT_RUN.*= \[(.*)\]/.exec(ticks) ?? [];
    expect([...notRun.matchAll(/"(\w+)"/g)].map(([, outcome]) => outcome)).toEqual(expect.arrayContaining(others));
  });
});

describe("Exit codes", () => {
  const page = "docs/reference/exit-codes.md";
  const [, ...rows] = rowsOf(read(page));

  it("the page has the exit codes of the code, with their meaning", () => {
    expect(rows.map(([code, , text = ""]) => ({ code, text: withoutMarks(text) }))).toEqual(
      EXIT_CODES.map(({ code, text }) => ({ code, text })),
    );
  });

  it("the page has the name of each exit code in JSON, as the schema of errors", () => {
    const schema = read("packages/cli/schemas/error.schema.json");
    const [, choices = "[]"] = /"code": \{\s*"enum": (\[[^\]]*\])/.exec(schema) ?? [];
    const names = JSON.parse(choices) as string[];
    expect(names).toContain("notFound");
    const expected = Object.entries(EXIT).flatMap(([name, code]) => (names.includes(name) ? [[`${code}`, name]] : []));
    expect(rows.flatMap(([code = "", name = ""]) => (name === "" ? [] : [[code, withoutMarks(name)]]))).toEqual(
      expected,
    );
  });

  it("the error in JSON is as shown", async () => {
    const line = commandLines(page, read(page)).find(({ words }) => words.includes("--json"));
    const channel = { type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } };
    const options = { chJobs: channel, chLocks: channel };
    await using manager = await openJobManager(options);
    await manager.run("daily-report", () => {});
    const { code, err } = await called(folderWithStore(options), line?.words ?? []);
    expect([code, err]).toEqual([line?.code, /```json\n([\s\S]*?)```/.exec(read(page))?.[1]]);
  });
});

describe("Cron expressions and time zones", () => {
  const page = "docs/reference/cron.md";
  const minute = (time: string): number => Date.parse(`${time}Z`);

  function next(count: number, expression: string, zone: string, after: number): number[] {
    const schedule = cronSchedule(expression, zone);
    const ticks: number[] = [];
    for (let i = 0; i < count; i++) ticks.push(schedule.next(ticks.at(-1) ?? after));
    return ticks;
  }

  const examples = rowsOf(section(page, "Fields")).filter(([, , ticks]) => /^\d{4}-/.test(ticks ?? ""));

  it.each(examples)("the expression %s is due as shown", (expression, _, ticks = "") => {
    const expected = ticks.split(", ").map(minute);
    const after = Date.parse("2026-11-30T12:00Z");
    expect(next(expected.length, withoutMarks(expression ?? ""), "UTC", after)).toEqual(expected);
  });

  const [, ...mistakes] = rowsOf(section(page, "Mistakes"));
  it.each(mistakes)("the mistake %s is an error as shown", (expression, message) => {
    expect(() => cronSchedule(withoutMarks(expression ?? ""))).toThrow(message);
  });

  const zones = rowsOf(section(page, "Time zones")).filter(([, message]) => message?.startsWith("there is no"));
  it.each(zones)("the wrong time zone %s is an error as shown", (zone, message) => {
    expect(() => cronSchedule("@daily", withoutMarks(zone ?? ""))).toThrow(message);
  });

  const [starts = [], ...changes] = rowsOf(section(page, "When clocks change")).filter(
    ([, cell]) => cell?.startsWith("from ") || /^\d{4}-/.test(cell ?? ""),
  );
  it.each(changes)("around a change of clocks, the expression %s is due as shown", (expression, ...cells) => {
    for (const [i, cell] of cells.entries()) {
      const after = minute(starts[i + 1]?.replace("from ", "") ?? "");
      const expected = cell.split(", ").map(minute);
      expect(next(expected.length, withoutMarks(expression ?? ""), "Europe/Lisbon", after)).toEqual(expected);
    }
  });

  it("the page has examples of all kinds", () => {
    expect([examples.length > 10, mistakes.length, zones.length, changes.length]).toEqual([true, 5, 2, 2]);
  });
});

it("the words of the glossary are in order, and each is there once", () => {
  const [, ...rows] = rowsOf(read("docs/understand/glossary.md"));
  const words = rows.map(([word = ""]) => word.replaceAll("*", ""));
  expect(words).toEqual([...new Set(words)].sort((one, other) => one.localeCompare(other, "en")));
  const binding = read("docs/understand/glossary.md");
  for (const word of ["channel", "fence", "holder", "lease", "run", "session", "tick"]) expect(binding).toContain(word);
});

const documents = [
  ...readdirSync(ROOT),
  ...["docs", "examples"].flatMap(filesIn),
  ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/README.md`),
].filter((file) => file.endsWith(".md") && existsSync(join(ROOT, file)));

/** The anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  const text = read(path).replace(/^```[\s\S]*?^```$/gm, "");
  for (const [, heading = ""] of text.matchAll(/^#+ (.*)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unique = slug;
    for (let i = 1; anchors.has(unique); i++) unique = `${slug}-${i}`;
    anchors.add(unique);
  }
  return anchors;
}

const REPOSITORY = /^https:\/\/github\.com\/ojm-project\/ojm\/(?:blob|tree)\/main\//;

/** Why a link of a document leads nowhere; `undefined` if it does not, or leads to another site. */
function brokenLink(document: string, link: string): string | undefined {
  const isOurs = REPOSITORY.test(link);
  if (!isOurs && /^[a-z]+:/.test(link)) return undefined;
  const [path = "", anchor] = link.replace(REPOSITORY, "").split("#");
  const target = normalize(isOurs ? path : path === "" ? document : join(dirname(document), path));
  if (!existsSync(join(ROOT, target))) return `${document}: ${link}: no such file`;
  if (anchor === undefined || (anchor === "readme" && statSync(join(ROOT, target)).isDirectory())) return undefined;
  const page = statSync(join(ROOT, target)).isDirectory() ? join(target, "README.md") : target;
  if (!page.endsWith(".md") || anchorsOf(page).has(anchor)) return undefined;
  return `${document}: ${link}: no such heading`;
}

it("every link of a document to this repository leads to a file, and to a heading of it", () => {
  expect(documents.length).toBeGreaterThan(40);
  const broken = documents.flatMap((document) => {
    const text = read(document)
      .replace(/^```[\s\S]*?^```$/gm, "")
      .replace(/`[^`\n]*`/g, "");
    return [...text.matchAll(/\]\(\s*([^)\s]+)\s*\)/g)].flatMap(([, link = ""]) => brokenLink(document, link) ?? []);
  });
  expect(broken).toEqual([]);
});
