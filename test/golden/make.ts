import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSIONS } from "@ojm/core/internal";
import { programArgs } from "@ojm/testing/programs";
import { Database } from "../../packages/sqlite/src/testing/driver.js";
import { kindOf } from "../support/entries-page.js";
import { writeHistory } from "../support/history.js";
import { contentsOf } from "./contents.js";
import { KINDS, pack } from "./stores.js";

/*
 * Makes the golden stores of the present version, in a folder of its name: `npm run golden`.
 */

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OJM = new URL("../../packages/cli/src/main.ts", import.meta.url);

const missing = Object.values(KINDS).flatMap((kind) => kind.missing ?? []);
if (missing.length > 0) throw new Error(missing.join("\n"));

const target = join(FOLDER, VERSIONS.ojm);
rmSync(target, { recursive: true, force: true });
mkdirSync(target);
const stores: Record<string, unknown> = {};
for (const [name, { saved, open }] of Object.entries(KINDS)) {
  const own = await open();
  const live = await writeHistory({ ...own, prefix: "golden" });
  const at = Date.now();
  stores[name] = { at, ...(await contentsOf(live.manager, live.scheduler, at)) };
  const folder = mkdtempSync(join(tmpdir(), "ojm-golden-"));
  await own.save(join(folder, saved));
  pack(join(folder, saved), join(target, saved));
  if (name === "sqlite") {
    writeFileSync(join(folder, "export.jsonl"), execFileSync(process.execPath, exportOf(own.text)));
    pack(join(folder, "export.jsonl"), join(target, "export.jsonl"));
    writeFileSync(join(target, "entries.txt"), entriesOf(join(folder, saved)));
  }
  await live.close();
  await own.stop();
  rmSync(folder, { recursive: true });
  console.log(`${name}: ${Math.round(process.uptime())} s`);
}
const lines = Object.entries(stores).map(([name, contents]) => `"${name}": ${JSON.stringify(contents)}`);
writeFileSync(join(target, "contents.json"), `{\n${lines.join(",\n")}\n}\n`);
for (const file of ["contents.json", "entries.txt"])
  if (readFileSync(join(target, file), "utf8").includes(ROOT)) throw new Error(`${file} has a path`);
process.exit();

function exportOf(store: string): string[] {
  return ["--import", new URL("host.mjs", import.meta.url).href, ...programArgs(OJM), "export", "--store", store];
}

/** The first entry of each kind, as the store has it: its key, a tab, and its value. */
function entriesOf(file: string): string {
  const db = new Database(file, { readonly: true });
  const rows = db.prepare<[], { key: string; value: string }>("SELECT key, value FROM entries ORDER BY key").all();
  db.close();
  const found = new Map<string, string>();
  for (const { key, value } of rows) {
    const kind = kindOf(key);
    if (!found.has(kind)) found.set(kind, `${key}\t${value}\n`);
  }
  return [...found.values()].join("");
}
