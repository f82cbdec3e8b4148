/** Runs a job with its effect and end in one transaction. Commits on a message, and sends the outcome. */
import { openJobManager, type Run } from "@ojm/core";
import pg from "pg";
import { backend } from "../../index.js";

const [url = "", ttl = ""] = process.argv.slice(2);
const jobs = await openJobManager({ chJobs: { backend, args: { url } }, chLocks: { backend, args: { url } }, ttl });
const client = new pg.Client(url);
await client.connect();
const message = new Promise((resolve) => process.once("message", resolve));
let ended: Promise<void> | undefined;
async function end(run: Run): Promise<void> {
  await client.query("begin");
  await client.query("insert into effects values ('first')");
  await run.end("first", { transaction: client });
  process.send?.("joined");
  await message;
  try {
    await client.query("commit");
    process.send?.("committed");
  } catch (error) {
    process.send?.((error as { code?: string }).code);
  }
}
const running = jobs.run("report", (run) => {
  ended = end(run);
  return ended;
});
await running.catch(() => {}); // its lock was lost, maybe before it commits
await ended;
await client.end();
await jobs.close();
