import { openBrowser, openPage } from "./browser.js";
import { openOurs } from "./site.js";
import { stores } from "../stores.js";
import { openJobManager } from "@ojm/core";
const MIB = 1_048_576;
const lines = Number(process.argv[2] ?? 100000);
const open = await stores.find((s) => s.name === "sqlite")!.open();
async function fill() {
  await using manager = await openJobManager({ ...open.options, logBudget: { head: 4 * MIB, tail: 64 * MIB } });
  const run = await manager.start("with-log");
  for (let line = 1; line <= lines; line++) {
    run.log.info(`line ${line}: copied a row of the table from here to there`);
    if (line % 1000 === 0) { const e = performance.now() + 30; while (performance.now() < e) await new Promise((r) => setImmediate(r)); }
  }
  await run.end();
  return run.id;
}
const id = await fill();
const site = await openOurs(open.options, "");
const browser = await openBrowser();
const url = new URL(`runs/${encodeURIComponent(id)}`, site.url).href;
const T = `(() => { const n = performance.getEntriesByType("navigation")[0];
 const r = performance.getEntriesByType("resource").slice(0, 12).map(e => [e.name.replace(location.origin,"").slice(0,60), Math.round(e.startTime), Math.round(e.requestStart), Math.round(e.responseStart), Math.round(e.responseEnd)].join(" "));
 return { nav: [n.requestStart, n.responseStart, n.responseEnd, n.domInteractive, n.domContentLoadedEventEnd].map(Math.round), r, long: window.long.slice(0,6).map(Math.round) }; })()`;
import { writeFileSync } from "node:fs";
for (let i = 0; i < 4; i++) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await page.addInitScript(`window.shownAt = new Promise((resolve) => { const look = () => { if (document.querySelector(".line .text") === null) return requestAnimationFrame(look); requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => resolve(performance.now()); port2.postMessage(0); }); }; requestAnimationFrame(look); })`);
  const events: any[] = [];
  const bcdp = await browser.newBrowserCDPSession();
  bcdp.on("Tracing.dataCollected", ({ value }: any) => events.push(...value));
  await bcdp.send("Tracing.start", { categories: "devtools.timeline,blink.user_timing,disabled-by-default-devtools.timeline,toplevel,loading", transferMode: "ReportEvents" } as any);
  await page.goto(url);
  const shown = await page.evaluate("window.shownAt");
  await page.evaluate("performance.mark('shown-now')");
  const done = new Promise((r) => bcdp.once("Tracing.tracingComplete", r));
  await bcdp.send("Tracing.end"); await done;
  writeFileSync(`/tmp/ojm/trace${i}.json`, JSON.stringify(events));
  console.log("shown", Math.round(shown as number), events.length);
  await context.close();
}
await browser.close(); await site.close(); await open.close();
process.exit(0);
