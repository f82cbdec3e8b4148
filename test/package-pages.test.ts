import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openAlerts } from "@ojm/alerts";
import { openJobManager } from "@ojm/core";
import { checkDefinition } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { openUiServer } from "@ojm/ui";
import ts from "typescript";
import { expect, test } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { checkJobFile } from "../packages/ojob/src/index.js";
import { LAST_SUCCESS, METRICS } from "../packages/otel/src/measure/metrics.js";
import { prometheusName } from "../packages/otel/src/prometheus/series.js";
import { snippets } from "../scripts/lib/snippets.mjs";

/* The pages about alerts, metrics, schedules and the UI have the options and names of the code. */

const ROOT = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, ROOT)), "utf8");

/** The cells of the rows of the tables of a page, or of its sections with these headings. */
function rowsOf(path: string, ...headings: readonly string[]): string[][] {
  const sections = read(path).split(/^(?=##+ )/m);
  return sections
    .filter((text) => headings.length === 0 || headings.some((heading) => text.replace(/^#+ /, "").startsWith(heading)))
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The names in code marks of the first cells. */
const named = (rows: readonly (readonly string[])[]): string[] =>
  rows.flatMap(([cell = ""]) => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = ""]) => name));

/** The fields of an interface. */
function fieldsOf(file: string, name: string): string[] {
  const fields: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) && node.name.text === name)
      fields.push(...node.members.map((member) => member.name?.getText() ?? ""));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  expect(fields.length).toBeGreaterThan(0);
  return fields;
}

/** The public methods of a class. */
function methodsOf(file: string, name: string): string[] {
  const methods: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassDeclaration(node) && node.name?.text === name)
      for (const member of node.members) {
        const isInternal = ts.getJSDocTags(member).some(({ tagName }) => tagName.text === "internal");
        if (ts.isMethodDeclaration(member) && ts.isIdentifier(member.name) && !isInternal)
          methods.push(member.name.text);
      }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  return methods;
}

test("the table of metrics has the metrics of the code, with their kinds", () => {
  const rows = rowsOf("docs/how-to/metrics.md", "The metrics").filter(([cell]) => cell?.startsWith("`"));
  const documented = rows.map(([name = "", kind = ""]) => [
    name.replaceAll("`", ""),
    /^(histogram|counter|up and down)/.exec(kind)?.[1],
  ]);
  const expected = Object.values(METRICS).map(({ name, kind }) => [name, kind === "gauge" ? "up and down" : kind]);
  expect(documented).toEqual(expected);
  expect(read("docs/how-to/metrics.md")).toContain(prometheusName(LAST_SUCCESS));
});

test("the page Schedules has every option of a definition, and of its missed and retry", () => {
  const page = "docs/reference/schedules.md";
  const types = "packages/schedule/src/definition/types.ts";
  expect(named(rowsOf(page, "When it is due", "What happens then")).sort()).toEqual(
    fieldsOf(types, "ScheduleDefinition").sort(),
  );
  expect(named(rowsOf(page, "Late ticks")).filter((name) => name !== "missed")).toEqual(fieldsOf(types, "Missed"));
  const retry = { attempts: 2, delay: 1, backoff: "fixed", maxDelay: 1, onLost: true } as const;
  expect(named(rowsOf(page, "Retries")).filter((name) => name !== "retry")).toEqual(Object.keys(retry));
  expect(checkDefinition("a", { every: 1_000, retry }).retry).toEqual(retry);
  expect(named(rowsOf(page, "Open a scheduler")).sort()).toEqual(
    fieldsOf("packages/schedule/src/scheduler.ts", "SchedulerOptions").sort(),
  );
});

test("the page Schedules has every method of a scheduler", () => {
  const cells = rowsOf("docs/reference/schedules.md", "Functions", "Close").map(([cell = ""]) => cell);
  const documented = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)\(/g)].map(([, name = ""]) => name));
  const methods = methodsOf("packages/schedule/src/scheduler.ts", "Scheduler").filter((name) => name !== "add");
  expect(methods).toEqual(expect.arrayContaining(["pause", "stopBackfills", "schedules"]));
  expect(methods.filter((method) => !documented.includes(method))).toEqual([]);
});

test("the page Alerts has every option of a rule, and every event and field of an alert", async () => {
  const page = "docs/how-to/alerts.md";
  const types = "packages/alerts/src/types.ts";
  const rules = named(rowsOf(page, "Rules"));
  for (const option of fieldsOf(types, "Rule")) expect(rules).toContain(option);
  expect(named(rowsOf(page, "The alert")).sort()).toEqual(fieldsOf(types, "Alert").sort());
  const options = fieldsOf(types, "AlertsOptions").filter((name) => name !== "clock");
  expect(named(rowsOf(page, "Open alerts"))).toEqual(expect.arrayContaining(options));
  await using manager = await openJobManager();
  const rule = { on: ["never"], to: { command: ["true"] } };
  const error = await openAlerts(manager, { rules: [rule as never] }).catch(String);
  const kinds = /one of: (.*?)\.?$|: (started, .*?)\.?$/m.exec(`${error}`)?.slice(1).find(Boolean)?.split(", ") ?? [];
  expect(kinds).toContain("recovered");
  for (const kind of kinds) expect(read(page)).toContain(`\`${kind}\``);
});

test("the page about the UI has every option of openUi and openUiServer", async () => {
  const page = "docs/how-to/ui-behind-a-proxy.md";
  const types = "packages/ui/src/types.ts";
  const own = fieldsOf(types, "ViewOptions");
  const expected = [...own, ...fieldsOf(types, "UiOptions"), ...fieldsOf(types, "UiServerOptions")];
  expect(new Set(named(rowsOf(page, "Options")))).toEqual(new Set(expected));
  await using manager = await openJobManager();
  await expect(openUiServer({ manager, secret: "short" })).rejects.toThrow(/16/);
});

test("the page about Nest has every option of its modules and decorators, and every method of the registry", () => {
  const page = "docs/reference/nestjs.md";
  const source = "packages/nestjs/src";
  expect(named(rowsOf(page, "OjmModule")).sort()).toEqual(
    expect.arrayContaining(fieldsOf(`${source}/ojm.ts`, "OjmOptions").sort()),
  );
  expect(named(rowsOf(page, "Cron"))).toEqual(
    expect.arrayContaining(fieldsOf(`${source}/decorators.ts`, "CronOptions")),
  );
  expect(named(rowsOf(page, "Timeout"))).toEqual(
    expect.arrayContaining(fieldsOf(`${source}/decorators.ts`, "TimeoutOptions")),
  );
  expect(named(rowsOf(page, "The UI"))).toEqual(expect.arrayContaining(fieldsOf(`${source}/ui.ts`, "OjmUiOptions")));
  const documented = rowsOf(page, "SchedulerRegistry").flatMap(([cell = ""]) =>
    [...cell.matchAll(/`(\w+)\(/g)].map(([, name = ""]) => name),
  );
  const methods = methodsOf(`${source}/registry.ts`, "SchedulerRegistry");
  expect(methods).toContain("addCronJob");
  expect(methods.filter((method) => !documented.includes(method))).toEqual([]);
});

test("the page HTTP API has every endpoint of openapi.json, and no other", () => {
  const { paths } = JSON.parse(read("packages/ui/openapi.json")) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const expected = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ["get", "post", "delete"].includes(method))
      .map((method) => `${method.toUpperCase()} ${path.slice(1).replace("{name}", "NAME").replace("{id}", "ID")}`),
  );
  const documented = rowsOf("docs/reference/http-api.md", "Endpoints").flatMap(([cell = ""]) =>
    [...cell.matchAll(/`((?:GET|POST|DELETE) [^`]+)`/g)].map(([, line = ""]) => line),
  );
  expect(documented.sort()).toEqual(expected.sort());
});

test("the job file of the page Coming from cron passes ojm check --strict, and has one periodic job", async () => {
  const [file] = snippets("docs/how-to/coming-from-cron.md").filter(({ name }) => name === "jobs.yaml");
  const path = join(folderWith({ "jobs.yaml": file?.code ?? "" }), "jobs.yaml");
  const checked = await checkJobFile(path, { prepare: prepareType, strict: true });
  expect(checked).toMatchObject({ periodic: 1 });
});
