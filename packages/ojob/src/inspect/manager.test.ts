import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openChannel, registerBackend } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { openManagerOf } from "../index.js";

/** A type that stores nothing, but creates its file when it is opened, as real stores do. */
registerBackend({
  type: "in-a-file",
  paths: ["file"],
  async open({ file, ...args }, context) {
    writeFileSync(String(file), "");
    return simple.open(args, context);
  },
});

const STORE = '{ type: in-a-file, args: { file: "./{{env}}.db" } }';
const JOBS = `include: oJobManager.yaml\ntodo: [{ name: oJobManager Init, args: { chJobs: ${STORE} } }]\n`;

test("a manager that is looked at is not made: a store that is not there is an error with its path", async () => {
  const folder = folderWith({ "a.yaml": JOBS });
  const [file, store] = [join(folder, "a.yaml"), join(folder, "test.db")];
  const open = () => openManagerOf(file, { env: "test" }, async () => {});
  await expect(open()).rejects.toThrow(
    `error: there is no store at ${store}, the path in ${file}: no run has made it so far`,
  );
  expect(existsSync(store)).toBe(false);
  writeFileSync(store, "");
  await (await open())?.close();
});

test("a type without paths is opened as it is", async () => {
  const folder = folderWith({ "a.yaml": JOBS.replace("in-a-file", "simple") });
  await expect(openManagerOf(join(folder, "a.yaml"), {}, async () => {})).rejects.toThrow(/has no option "file"/);
  await (await openChannel("c")).close();
});
