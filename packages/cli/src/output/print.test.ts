import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { commandOf, start } from "../testing/ojm.js";
import { jsonText } from "./print.js";

const FILE = { "a.yaml": "jobs: [{ name: A, exec: print(1) }]\ntodo: [A]\n" };

test.each([["schema"], ["help"], ["version"], ["check", "a.yaml"], ["run", "a.yaml", "--help"]])(
  "a reader of ojm %s that goes away, as head does, is not an error",
  async (...words) => {
    const process = start(folderWith(FILE), ...words);
    process.process.stdout?.destroy();
    expect(await process.ended).toMatchObject({ code: 0, err: "" });
  },
);

test.runIf(existsSync("/dev/full")).each([["version"], ["run", "a.yaml"]])(
  "output of ojm %s for which the disk has no room is reported in one line, and makes the exit code 1",
  (...words) => {
    const folder = folderWith({ "a.yaml": `ojob: { logJobs: false }\n${FILE["a.yaml"]}` });
    const [node = "", ...rest] = commandOf(words);
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(node, rest, { cwd: folder, stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    expect(String(stderr)).toMatch(/^ojm: the output cannot be written: ENOSPC.*\n$/);
    expect(status).toBe(1);
  },
);

test("JSON has nothing that a terminal would obey, and means the same", () => {
  const value = { name: "a\u009b31m\u202eb\u2066\u200f\u061c\u2028\u007f\u001b", more: ["é", "\n\t", { "\u0085": 1 }] };
  for (const indent of [undefined, 1]) {
    const text = jsonText(value, indent);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
    expect(JSON.parse(text)).toEqual(value);
  }
});
