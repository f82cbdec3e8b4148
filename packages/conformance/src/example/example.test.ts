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
const page = readFileSync(new URL("../../docs/how-to/write-a-backend.md", root), "utf8");

describe("the page Write a backend, and the README of the conformance suite", () => {
  it.each(["src/example/backend.ts", "src/example/harness.ts"])(
    "the page Write a backend shows the file %s as it is",
    (file) => {
      const text = readFileSync(new URL(file, root), "utf8");
      expect(page).toContain(`\`\`\`ts\n// ${basename(file)}\n${text}\`\`\``);
    },
  );

  it("the page and the README give the right numbers of laws, cases and planted bugs", () => {
    for (const { prefix, cases } of groups) expect(page).toContain(`| \`${prefix}\` | ${cases.length} |`);
    const { length } = groups.flatMap(({ cases }) => cases);
    expect(readme).toContain(`${length} laws about`);
    expect(page).toContain(`a suite of ${length} laws`);
    expect(readme).toContain(`\`src/testing/planted\` holds ${bugs.length} of them`);
  });

  it("the page and the README name only cases that exist", () => {
    const ids = groups.flatMap(({ cases }) => cases.map(({ id }) => id));
    for (const [id] of `${readme}${page}`.matchAll(/[A-Z]{3}-\d{3}/g)) expect(ids).toContain(id);
  });
});

register({ describe, it }, harness, { profile: "full", seed });
