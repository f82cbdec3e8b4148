import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { seed } from "../../../../test/conformance/seed.js";
import { groups } from "../cases/index.js";
import { register } from "../run/register.js";
import { bugs } from "../testing/planted/index.js";
import { harness } from "./harness.js";

const root = new URL("../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

describe("the README of the conformance suite", () => {
  it.each(["src/example/backend.ts", "src/example/harness.ts"])("the README shows the file %s as it is", (file) => {
    const text = readFileSync(new URL(file, root), "utf8");
    expect(readme).toContain(`\`\`\`ts\n// ${basename(file)}\n${text}\`\`\``);
  });

  it("the README of the conformance suite gives the right numbers of laws, cases and planted bugs", () => {
    for (const { prefix, cases } of groups) expect(readme).toContain(`| \`${prefix}\` | ${cases.length} |`);
    expect(readme).toContain(`${groups.flatMap(({ cases }) => cases).length} laws about`);
    expect(readme).toContain(`\`src/testing/planted\` holds ${bugs.length} of them`);
  });

  it("the README of the conformance suite names only cases that exist", () => {
    const ids = groups.flatMap(({ cases }) => cases.map(({ id }) => id));
    for (const [id] of readme.matchAll(/[A-Z]{3}-\d{3}/g)) expect(ids).toContain(id);
  });
});

register({ describe, it }, harness, { profile: "full", seed });
