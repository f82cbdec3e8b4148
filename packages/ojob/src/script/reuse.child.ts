import { SharedGlobals } from "./globals.js";
import { ThreadPool } from "./pool.js";

/** Prints for each given script whether its thread serves the next job. */
const script = new URL("./script-worker.cjs", import.meta.url);
const host = { globals: new SharedGlobals(), ahead: 0, call: async () => undefined, log: () => {}, print: () => {} };

for (const code of process.argv.slice(2)) {
  const pool = new ThreadPool({ script, memoryLimit: 64, files: [] });
  const first = pool.acquire();
  await first.run({ code, file: "/jobs.yaml", line: 1, args: {}, job: {} }, host);
  pool.release(first);
  console.log(pool.acquire() === first);
  await pool.close();
}
