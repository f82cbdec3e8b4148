import { openAlerts, type Rule } from "@ojm/alerts";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Opens alerts. Runs a job that fails at each message `{ fail }`, and one that never ends at `{ start }`.
 * Arguments: the manager's options and a rule, as JSON; how often it looks, in ms, or 0 for no alerts.
 */
const [options = "{}", rule = "{}", every = "0"] = process.argv.slice(2);

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
if (Number(every) > 0) await openAlerts(manager, { rules: [JSON.parse(rule) as Rule], every: Number(every) });

process.on("message", ({ fail, start }: { fail?: string; start?: string }) => {
  if (start !== undefined) {
    void manager.run(start, () => new Promise(() => setInterval(() => {}, 60_000))).catch(() => {});
    return;
  }
  const failing = manager.run(fail ?? "", () => Promise.reject(new Error("it broke")));
  failing.catch((error: Error) => process.send?.({ failed: error.message }));
});
process.send?.({ ready: true });
