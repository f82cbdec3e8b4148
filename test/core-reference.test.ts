import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "@ojm/core";
import * as queues from "@ojm/queue";
import ts from "typescript";
import { describe, expect, it, test } from "vitest";
import { checkManagerOptions, checkRunOptions } from "../packages/core/src/jobs/options.js";
import { checkRetry } from "../packages/core/src/jobs/retry/policy.js";
import { GRACE } from "../packages/core/src/locks/grace.js";
import { durationOf } from "../packages/core/src/util/duration.js";
import { WARNING_CODES } from "../packages/core/src/util/warning.js";

/*
 * The pages about @ojm/core and @ojm/queue have what their sources have: functions, methods, options,
 * defaults, events.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

const FOLDER = "docs/reference/typescript";
const EVENTS = "docs/reference/events-metrics-warnings.md";
const reference = readdirSync(join(ROOT, FOLDER)).map((name) => join(FOLDER, name));
const QUEUES = "docs/reference/queues.md";
const pages = [
  ...reference,
  QUEUES,
  ...["retention", "test-your-jobs", "write-a-backend"].map((name) => `docs/how-to/${name}.md`),
];

/** The cells of a row of a table. */
const cellsOf = (row: string): string[] => row.split(/(?<!\\)\|/).map((cell) => cell.trim());

/** The names at the start of each code in a cell: `get(key)`, `closed` are `get` and `closed`. */
const namesIn = (cell = ""): string[] => [...cell.matchAll(/`([\w:]+)[^`]*`/g)].map(([, name = ""]) => name);

/** A table of a page: the cells of its head, and of its rows. */
interface Table {
  readonly page: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tablesOf(page: string): Table[] {
  return [...read(page).matchAll(/^\|.*\|\n\|-[-|]*\|\n((?:\|.*\|\n)+)/gm)].map(([whole, rows = ""]) => ({
    page,
    head: cellsOf(whole.split("\n", 1)[0] ?? "").slice(1, -1),
    rows: rows
      .trimEnd()
      .split("\n")
      .map((row) => cellsOf(row).slice(1, -1)),
  }));
}

/** The sources of all packages, but for their tests. */
const sources: readonly string[] = readdirSync(join(ROOT, "packages")).flatMap((name) =>
  readdirSync(join(ROOT, "packages", name), { recursive: true, encoding: "utf8" })
    .filter((file) => /^src\/.*\.ts$/.test(file) && !/\.(test|child)\.ts$|\/testing\//.test(file))
    .map((file) => join("packages", name, file)),
);

const isInternal = (node: ts.Node): boolean =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal") ||
  (ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) =>
      [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword].includes(kind),
    ));

/** The interfaces and classes of these packages, and their types that are choices of texts. */
const members = new Map<string, string[]>();
const bases = new Map<string, string[]>();
const choices = new Map<string, string[]>();
const eventTypes = new Map<string, string>();
for (const file of sources.filter((file) => /^packages\/(core|queue)\//.test(file))) {
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || (ts.isClassDeclaration(node) && node.name !== undefined)) {
      const all: readonly ts.Node[] = node.members;
      const names = all.flatMap((member) => {
        const { name } = member as ts.NamedDeclaration;
        return name !== undefined && ts.isIdentifier(name) && !isInternal(member) ? [name.text] : [];
      });
      const name = node.name?.text ?? "";
      members.set(name, [...new Set(names)]);
      const extended = node.heritageClauses?.flatMap(({ types }) => types.map((type) => type.expression.getText()));
      bases.set(name, extended ?? []);
      if (name === "Events") {
        for (const member of node.members) {
          if (!ts.isPropertySignature(member) || member.type === undefined) continue;
          eventTypes.set(JSON.parse(member.name.getText()), member.type.getText());
        }
      }
    } else if (ts.isTypeAliasDeclaration(node)) {
      const types = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
      const texts = types.flatMap((type) =>
        ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [],
      );
      choices.set(node.name.text, texts);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
}

/** Tables have the options of a call too, unless each call has them: `signal`, the fields of a record. */
const EXTENDED = ["ChannelConfig", "LogAmount"];

function membersOf(name: string): string[] {
  const inherited = (bases.get(name) ?? []).filter((base) => EXTENDED.includes(base));
  return [...(members.get(name) ?? []), ...inherited.flatMap(membersOf)];
}

const tables = [...pages, EVENTS].flatMap(tablesOf);
const described = tables.filter(({ head }) => /^`[A-Z]\w*`$/.test(head[0] ?? ""));

describe("the tables of the types of @ojm/core", () => {
  it("the options of every function of @ojm/core have a table", () => {
    const heads = described.map(({ head }) => head[0]?.replaceAll("`", ""));
    const manager = [
      "JobManager",
      "Retention",
      "Run",
      "Retry",
      "Close",
      "History",
      "FailedRuns",
      "FollowRuns",
      "Rollups",
    ];
    const more = [
      "Cancel",
      "Hold",
      "Unlock",
      "Audit",
      "Prune",
      "Export",
      "Log",
      "Locks",
      "Acquire",
      "Entries",
      "Watch",
    ];
    const ofQueues = [
      "Queues",
      "Queue",
      "Add",
      "Unique",
      "Batch",
      "Trigger",
      "Work",
      "Items",
      "Redrive",
      "Purge",
      "Pause",
    ];
    const options = [...manager, ...more, ...ofQueues, "Open", "RunOnce"].map((name) => `${name}Options`);
    const objects = ["Run", "RunRecord", "RunLog", "ActiveRun", "LiveRuns", "Locks", "Lease", "LogBudget", "Supports"];
    expect(heads).toEqual(expect.arrayContaining([...options, ...objects, "TestClock"]));
  });

  it.each(described.map((table) => [table.head[0] ?? "", table] as const))(
    "the table of %s has its members",
    (head, table) => {
      const type = head.replaceAll("`", "");
      expect(members.has(type)).toBe(true);
      const named = table.rows.flatMap(([first]) => namesIn(first));
      expect([...named].sort()).toEqual(membersOf(type).sort());
    },
  );

  it("the defaults of the pages are those of the code", () => {
    const row = (type: string, option: string): readonly string[] =>
      described.find(({ head }) => head[0] === `\`${type}\``)?.rows.find(([name]) => name === `\`${option}\``) ?? [];
    const shown = (type: string, option: string): unknown => {
      const text = row(type, option)[2]?.replace(/^`"?|"?`$/g, "") ?? "";
      return durationOf(text) ?? (/^(true|false|\d+)$/.test(text) ? JSON.parse(text) : text);
    };
    const run = checkRunOptions("job", {});
    for (const option of ["timeout", "wait", "trigger"] as const) expect(shown("RunOptions", option)).toBe(run[option]);
    const retry = checkRetry("job", { attempts: 2 });
    for (const option of ["delay", "backoff", "maxDelay", "onLost"] as const)
      expect(shown("RetryOptions", option)).toBe(retry[option]);
    const { ttl } = checkManagerOptions({});
    expect([shown("JobManagerOptions", "ttl"), shown("LocksOptions", "ttl")]).toEqual([ttl, ttl]);
    expect(shown("CloseOptions", "grace")).toBe(GRACE);
    const queue = queues.checkQueueOptions("q", {});
    for (const option of ["attempts", "delay", "backoff", "maxDelay", "timeout"] as const)
      expect(shown("QueueOptions", option)).toBe(queue[option]);
  });
});

test("every function and class that a package exports is on a page of its reference", () => {
  const text = [...reference, QUEUES].map(read).join("\n");
  const exported = [...Object.keys(core), ...Object.keys(queues)];
  expect(exported).toEqual(expect.arrayContaining(["openJobManager", "parseRunId", "ChannelError"]));
  expect(exported.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
});

test("every public method of managers and channels is in a table of the reference", () => {
  const named = tables.flatMap(({ rows }) => rows.flatMap(([first]) => namesIn(first)));
  const classes = ["JobManager", "JobQueries", "Channel", "ChannelVerbs", "Queues"];
  const methods = classes.flatMap(membersOf).filter((name) => name !== "channels");
  expect(methods).toEqual(expect.arrayContaining(["run", "close", "waiters", "stopRequests", "getSet", "joins"]));
  expect(methods.filter((method) => !named.includes(method))).toEqual([]);
});

test("the page of errors has the codes of each class", () => {
  const rows = tablesOf(`${FOLDER}/errors.md`).find(({ head }) => head[1] === "codes")?.rows ?? [];
  expect(rows).toHaveLength(3);
  for (const [name = "", codes] of rows)
    expect(namesIn(codes)).toEqual((choices.get(`${name.replaceAll("`", "")}Code`) ?? []).sort());
});

describe("the page of events and warnings", () => {
  const rows = tablesOf(EVENTS)
    .filter(({ head }) => head[0] === "event")
    .flatMap(({ rows }) => rows);

  it("every event of the sources has a row", () => {
    const events = sources.flatMap((file) =>
      [...read(file).matchAll(/(?:new EventChannel\w*|\bchannel)\(\s*"(ojm:[a-z:]+)"/g)].map(([, event]) => event),
    );
    expect(events).toEqual(expect.arrayContaining(["ojm:run:ended", "ojm:store:gone", "ojm:tick"]));
    expect(rows.map(([event]) => event?.replaceAll("`", "")).sort()).toEqual(events.sort());
  });

  it("each event of core has the fields of its type", () => {
    expect(eventTypes.size).toBeGreaterThan(8);
    const shown = rows.map(([event = "", , fields]) => [event.replaceAll("`", ""), namesIn(fields).sort()] as const);
    for (const [event, type] of eventTypes) expect(new Map(shown).get(event), event).toEqual(membersOf(type).sort());
  });

  it("every warning has a row", () => {
    const codes = tablesOf(EVENTS)
      .find(({ head }) => head[0] === "code")
      ?.rows.flatMap(([first]) => namesIn(first));
    expect(codes).toEqual(WARNING_CODES);
  });
});

test("no warning is given without its code", () => {
  const owner = "packages/core/src/util/warning.ts";
  expect(sources.filter((file) => file !== owner && read(file).includes("process.emitWarning"))).toEqual([]);
});
