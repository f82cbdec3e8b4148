import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word.js";

test("a plain name stands in a hint as it is", () => {
  for (const name of ["nightly-report", "a@2026-11-25T02:00:00.000Z", "a/b.c"]) expect(shellWord(name)).toBe(name);
});

test.each(["a job $(id)", "it's", "`id`", "a;b", "", "~", "*", "two\nlines", "é"])(
  "a shell reads the word of a hint as the name: %j",
  (name) => {
    const { stdout } = spawnSync("sh", ["-c", `printf %s ${shellWord(name)}`], { encoding: "utf8" });
    expect(stdout).toBe(name);
  },
);
