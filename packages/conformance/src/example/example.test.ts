import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { register } from "../run/register.js";
import { harness } from "./harness.js";

const root = new URL("../../", import.meta.url);

describe("the README", () => {
  it.each(["src/example/backend.ts", "src/example/harness.ts"])("shows %s as it is", (file) => {
    const readme = readFileSync(new URL("README.md", root), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(file, root), "utf8")}\`\`\``);
  });
});

register({ describe, it }, harness, { profile: "full" });
