/** Runs a job that writes only when it gets a message, in a transaction with its fence. Sends the outcome. */
import { openJobManager, type Run } from "@ojm/core";
import pg from "pg";
import { assertFence } from "../../fence.js";
import { backend } from "../../index.js";

const [url = "", ttl = ""] = process.argv.slice(2);
const jobs = await openJobManager({ chJobs: { backend, args: { url } }, chLocks: { backend, args: { url } }, ttl });
const client = new pg.Client(url);
await client.connect();
const message = new Promise((resolve) => process.once("message", resolve));
let written: Promise<void> | undefined;
async function write(run: Run): Promise<void> {
  await client.query("begin");
  process.send?.("holding");
  await message;
  try {
    await assertFence(client, run);
    await client.query("insert into effects values ('first')");
    await client.query("commit");
    process.send?.("written");
  } catch (error) {
    await client.query("rollback");
    process.send?.((error as { code?: string }).code);
  }
}
const running = jobs.run("report", (run) => {
  written = write(run);
  return written;
});
await running.catch(() => {}); // its lock was lost, maybe before it writes
await written;
await client.end();
await jobs.close();
