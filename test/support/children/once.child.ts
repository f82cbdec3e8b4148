import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Calls `once` for each of some keys, in an order of its own. Each body writes its fence into a table of the
 * store. Arguments: the manager's options as JSON, how many keys, which process this is, and after how many
 * bodies one never returns.
 */
const [options = "{}", keys = "1", number = "0", hangs = "Infinity"] = process.argv.slice(2);
let begun = 0;

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const table = await manager.channel<string>("table");
process.send?.({ ready: true });
const results: Record<string, string> = {};
for (let i = 0; i < Number(keys); i++) {
  const key = `k${(i + 7 * Number(number)) % Number(keys)}`;
  const { result } = await manager.once(
    "job",
    key,
    async (run) => {
      const entry = await table.entry(key);
      await run.fenced(table, [
        { check: key, version: entry?.version ?? null },
        { put: key, value: run.fence },
      ]);
      process.send?.({ began: key });
      const isLast = ++begun >= Number(hangs);
      await new Promise((resolve) => setTimeout(resolve, isLast ? 2 ** 31 - 1 : 5));
      return run.fence;
    },
    { keep: "1h", wait: "2m" },
  );
  results[key] = result;
}
process.send?.({ results });
await manager.close();
process.disconnect();
