import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { commitNow, loadNow, machineNow } from "../report/machine.js";
import { rivalVersions } from "../rivals.js";
import { browserMissing, openBrowser } from "./browser.js";
import { measureLog, measureTimeline, type OwnRow } from "./own.js";
import { measureRivals, type RivalRow } from "./rivals.js";
import { ownLines, type PagesResult, RIVALS_HEADER, rivalLines } from "./rows.js";

const { values } = parseArgs({
  options: {
    what: { type: "string", default: "rivals,timeline,log" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    /** How many runs a store has, and how many lines a log has: for a first estimate. */
    runs: { type: "string" },
    lines: { type: "string" },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 3 : 15));
const runs = {
  rivals: Number(values.runs ?? (quick ? 1_000 : 10_000)),
  timeline: Number(values.runs ?? (quick ? 10_000 : 1_000_000)),
};
const lines = Number(values.lines ?? (quick ? 10_000 : 100_000));

const why = browserMissing();
if (why !== undefined) {
  console.error(`the pages cannot be measured: ${why}`);
  process.exit(1);
}
const known = { commit: commitNow(), before: loadNow(), date: new Date().toISOString().slice(0, 10) };
const rivals: RivalRow[] = [];
const own: OwnRow[] = [];
const browser = await openBrowser();

/** Called after each row: an interrupted call keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const { commit, before, date } = known;
  const machine = machineNow([before, loadNow()]);
  const versions = [`Chromium ${browser.version()}`, ...rivalVersions("@bull-board/express", "bullmq")];
  const result: PagesResult = { kind: "pages", date, ...(commit && { commit }), machine, versions, rivals, own };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

function tell(row: OwnRow): void {
  own.push(row);
  console.log(`${ownLines(row).join("\n")}\n`);
  write();
}

const what = values.what.split(",");
try {
  if (what.includes("rivals")) {
    console.log(`${runs.rivals} runs of 20 jobs on one Redis, ${rounds} loads each in turns, nothing in the cache,`);
    console.log("a processor 6 times as slow. In ms: medians, and the p90 of the time until data is seen.\n");
    console.log(RIVALS_HEADER);
    await measureRivals(browser, { runs: runs.rivals, rounds }, (rows) => {
      rivals.push(...rows);
      console.log(`${rivalLines(rows).join("\n")}\n`);
      write();
    });
  }
  if (what.includes("timeline")) tell(await measureTimeline(browser, runs.timeline));
  if (what.includes("log")) tell(await measureLog(browser, lines));
} finally {
  await browser.close();
}
