import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/*
 * The README of @ojm/core has every event and every public method of the manager.
 */

const PACKAGES = fileURLToPath(new URL("../packages", import.meta.url));
const read = (file: string): string => readFileSync(join(PACKAGES, file), "utf8");

/** The rows of the tables of the page. */
const rows = read("core/README.md")
  .split("\n")
  .filter((line) => line.startsWith("| "));

/** The first cells of the rows, in which the names stand. */
const named = rows.map((row) => row.split(" | ")[0]).join("\n");

/** The sources of all packages, but for their tests. */
const sources: readonly string[] = readdirSync(PACKAGES).flatMap((name) =>
  readdirSync(join(PACKAGES, name), { recursive: true, encoding: "utf8" })
    .filter((file) => /^src\/.*\.ts$/.test(file) && !/\.(test|child)\.ts$|\/testing\//.test(file))
    .map((file) => join(name, file)),
);

/** The public methods of a class. */
function methodsOf(file: string): string[] {
  const methods: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isMethodDeclaration(node) && ts.isIdentifier(node.name)) {
      const isInternal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
      if (!isInternal) methods.push(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  return methods;
}

test("every public method of the job manager is in a table of the README of core", () => {
  const methods = ["core/src/jobs/manager.ts", "core/src/jobs/job-queries.ts"].flatMap(methodsOf);
  expect(methods).toEqual(expect.arrayContaining(["run", "close", "waiters", "stopRequests"]));
  expect(methods.filter((method) => !named.includes(`\`${method}(`))).toEqual([]);
});

test("every event is in a table of the README of core", () => {
  const events = sources.flatMap((file) =>
    [...read(file).matchAll(/(?:new EventChannel\w*|\bchannel)\(\s*"(ojm:[a-z:]+)"/g)].map(([, event]) => event),
  );
  expect(events).toEqual(expect.arrayContaining(["ojm:run:ended", "ojm:store:gone", "ojm:tick"]));
  expect(events.filter((event) => !named.includes(`| \`${event}\``))).toEqual([]);
});

test("no warning is given without its code", () => {
  const owner = "core/src/util/warning.ts";
  expect(sources.filter((file) => file !== owner && read(file).includes("process.emitWarning"))).toEqual([]);
});
