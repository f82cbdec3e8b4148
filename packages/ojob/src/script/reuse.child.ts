import { SharedGlobals, ThreadPool } from "./thread.js";

/**
 * Prints for each given script whether its thread serves the next job, and which of the variables of the
 * first job the next one finds.
 */
const script = new URL("./script-worker.cjs", import.meta.url);
const quiet = { log: () => {}, print: () => {}, progress: () => {} };
const host = { globals: new SharedGlobals(), ahead: 0, call: async () => undefined, ...quiet };
const job = { file: "/jobs.yaml", line: 1, args: {}, job: {} };
const LOOK = "return ['GIVEN', 'LEFT'].filter((name) => process.env[name] !== undefined).join()";

for (const code of process.argv.slice(2)) {
  const pool = new ThreadPool({ script, memoryLimit: 64, files: [] });
  const first = pool.acquire();
  await first.run({ ...job, code, variables: { GIVEN: "given" } }, host);
  pool.release(first);
  const next = pool.acquire();
  const { result } = await next.run({ ...job, code: LOOK }, host);
  console.log(`${next === first} ${result}`);
  await pool.close();
}
