import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { afterAll, describe, expect, it } from "vitest";
import { groups } from "../cases/index.js";
import { main } from "./main.js";

const folder = temporaryFolder(afterAll);

const example = fileURLToPath(new URL("../example/harness.ts", import.meta.url));
const exampleBackend = fileURLToPath(new URL("../example/backend.ts", import.meta.url));

async function command(...argv: string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = [];
  const code = await main(argv, (text) => lines.push(text));
  return { code, output: lines.join("\n") };
}

function moduleOf(source: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(file, source);
  return file;
}

/** The example with one fault: it declares no support for a time to live, but accepts one. */
const WRONG = `
import { backend } from ${JSON.stringify(exampleBackend)};
import { harness as right } from ${JSON.stringify(example)};
export const harness = {
  name: "wrong",
  KNOWN
  async open() {
    const store = await right.open();
    return { ...store, async client() {
      const client = await store.client();
      return { ...client, commit: async (commit) => {
        const { checks, writes } = commit;
        return client.commit({ checks: checks.map((check) => check.version === "0" ? { ...check, version: null } : check), writes });
      } };
    } };
  },
};
`;

describe("the command ojm-conformance", () => {
  it("ojm-conformance exits with 0 when all cases pass, and prints which cases, profile and seed it ran", async () => {
    const { code, output } = await command(example, "--only", "CAS-001,SCP", "--seed", "7");
    expect(output).toContain("ok       CAS-001  Expecting absence wins where there is no entry.");
    expect(output).toMatch(/notebook, full, seed 7: \d+ passed, 0 failed/);
    expect(code).toBe(0);
  });

  it("ojm-conformance opens a backend that has no harness with the arguments of --args", async () => {
    const { code, output } = await command(exampleBackend, "--args", '{"name":"mine"}', "--only", "CAS");
    expect(output).toMatch(/notebook, full, seed \d+: \d+ passed, 0 failed/);
    expect(code).toBe(0);
    const refused = await command(exampleBackend, "--args", '{"nam":"mine"}', "--only", "CAS-001");
    expect(refused.output).toContain('Did you mean "name"?');
    expect(refused.code).toBe(1);
  });

  it("ojm-conformance exits with 1 when a case fails, and prints how to run that case again", async () => {
    const { code, output } = await command(moduleOf(WRONG.replace("KNOWN", "")), "--only", "CAS", "--seed", "5");
    expect(output).toContain("FAIL     CAS-011");
    expect(output).toContain('the version "0" was taken for absence');
    expect(output).toContain("again:  --seed 5 --only CAS-011");
    expect(code).toBe(1);
  });

  it("ojm-conformance forgives a known failure, until its case passes", async () => {
    const known = `knownFailures: { "CAS-011": "0 is taken for absence", "CAS-001": "was wrong once" },`;
    const { code, output } = await command(moduleOf(WRONG.replace("KNOWN", known)), "--only", "CAS-011");
    expect(output).toContain("known    CAS-011");
    expect(output).toContain("0 passed, 1 known to fail, 0 failed");
    expect(code).toBe(0);
    const fixed = await command(moduleOf(WRONG.replace("KNOWN", known)), "--only", "CAS-001");
    expect(fixed.output).toContain('CAS-001 is listed as a known failure ("was wrong once"), but it passes');
    expect(fixed.code).toBe(1);
  });

  it("ojm-conformance refuses a list of known failures that names an unknown case", async () => {
    const known = `knownFailures: { "CAS-999": "?" },`;
    const { code, output } = await command(moduleOf(WRONG.replace("KNOWN", known)), "--only", "CAS-001");
    expect(output).toContain("CAS-999");
    expect(code).toBe(2);
  });

  it("ojm-conformance --json writes a report of all results and of the reasons for skipped cases", async () => {
    const json = join(folder, "report.json");
    await command(example, "--only", "VAL-001,ERR-001", "--json", json, "--quiet");
    const report = JSON.parse(readFileSync(json, "utf8")) as { results: unknown };
    expect(report).toMatchObject({ backend: "notebook", profile: "full" });
    expect(report.results).toMatchObject([
      { id: "VAL-001", outcome: "pass" },
      { id: "ERR-001", outcome: "skipped", reason: "the harness has no partition" },
    ]);
  });

  it("ojm-conformance exits with 2 when its arguments name nothing that can be run", async () => {
    for (const argv of [[], ["./no-such-file.js"], [example, "--profile", "huge"], [example, "--only", "CAS-999"]]) {
      const { code, output } = await command(...argv);
      expect(output).toMatch(/^ojm-conformance: /);
      expect(code).toBe(2);
    }
    expect((await command(moduleOf("export const other = 1;"))).output).toContain("neither a harness nor a backend");
  });

  it("ojm-conformance --list shows all cases with their laws", async () => {
    const { code, output } = await command("--list", "--profile", "soak");
    for (const { id, law } of groups.flatMap(({ cases }) => cases)) expect(output).toContain(`${id}  ${law}`);
    expect(code).toBe(0);
  });
});

describe("the ids and laws of cases", () => {
  const cases = groups.flatMap(({ prefix, cases }) => cases.map((it) => ({ ...it, prefix })));

  it("the id of each case is unique, and begins with the letters of its group", () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const { id, prefix } of cases) expect(id).toMatch(new RegExp(`^${prefix}-\\d{3}$`));
  });

  it("the law of each case is one sentence", () => {
    for (const { law } of cases) expect(law).toMatch(/^[A-Z_a-z][^\n]*\.$/);
  });

  it("the page Write a backend has the number of laws of each group, and the README of all", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const page = readFileSync(new URL("../../../../docs/how-to/write-a-backend.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([A-Z]{3})` \| (\d+) \|/gm)].map(([, prefix, count]) => [
      prefix,
      Number(count),
    ]);
    expect(rows).toEqual(groups.map((group) => [group.prefix, group.cases.length]));
    expect(readme).toContain(`proves an ojm backend: ${cases.length} laws about`);
  });
});
