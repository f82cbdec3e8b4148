/**
 * The examples of the guide beside the blocks that guide.test.ts runs.
 * @module-tag full
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { ojm, start } from "../../packages/cli/src/testing/ojm.js";
import { NO_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { blocksByHeading, replaced } from "./stage.js";

/**
 * The phases hand on their data by `$set`: paths of files that scripts write begin at the working directory.
 */
const FUNCTIONS = `
  function extractFromDatabase() { return ["row"] }
  function saveToStaging(data, name) { $set(name, data) }
  function loadFromStaging(name) { return $get(name) }
  function transformData(rows) { return rows.map(row => row.toUpperCase()) }
  function loadToTarget(rows) { print("loaded " + rows) }`;

const block = blocksByHeading().get("Complete Example: Batch Processing System");

it.skipIf(block === undefined).each([[[]], [["--load", "@ojm/openaf"]]])(
  `with %j, the complete example keeps its stores and logs beside its file, from another working directory${block ? "" : `: ${NO_GUIDE}`}`,
  async (load) => {
    if (block === undefined) return;
    const text = replaced(block, [['"0 2 * * *"', '"* * * * * *"']]);
    const folder = folderWith({ "jobs.yaml": text, "functions.js": FUNCTIONS });
    const elsewhere = folderWith({});
    const batch = start(elsewhere, "run", join(folder, "jobs.yaml"), "--load", join(folder, "functions.js"), ...load);
    await batch.prints("loaded ROW");
    batch.process.kill("SIGTERM");
    expect((await batch.ended).code).toBe(143);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(["data", "functions.js", "jobs.yaml", "logs"]);
    expect(readdirSync(join(folder, "data"))).toEqual(expect.arrayContaining(["jobs.db", "locks.db"]));
    const { out } = await ojm(elsewhere, "history", join(folder, "jobs.yaml"));
    for (const name of ["extract-data", "transform-data"]) expect(out).toMatch(new RegExp(`^${name} .*completed`, "m"));
  },
);
