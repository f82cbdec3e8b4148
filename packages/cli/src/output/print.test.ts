import { spawnSync } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { folderWith, start } from "../testing/ojm.js";

const FILE = { "a.yaml": "jobs: [{ name: A, exec: print(1) }]\ntodo: [A]\n" };

test.each([["schema"], ["help"], ["version"], ["check", "a.yaml"], ["run", "a.yaml", "--help"]])(
  "a reader of ojm %s that goes away, as head does, is no error",
  async (...words) => {
    const process = start(folderWith(FILE), ...words);
    process.process.stdout?.destroy();
    expect(await process.ended).toMatchObject({ code: 0, err: "" });
  },
);

test.runIf(existsSync("/dev/full"))("output for which the disk has no room is told, and makes the exit code 1", () => {
  const command = start(folderWith({}), "version").process.spawnargs;
  const [node = "", ...words] = command;
  const { status, stderr } = spawnSync(node, words, { stdio: ["ignore", openSync("/dev/full", "w"), "pipe"] });
  expect(String(stderr)).toMatch(/^ojm: the output cannot be written: ENOSPC.*\n$/);
  expect(status).toBe(1);
});
