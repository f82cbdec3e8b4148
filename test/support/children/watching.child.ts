import { openAlerts, type Rule } from "@ojm/alerts";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Opens alerts, and does nothing else: no listener of this program keeps it alive. Arguments: the manager's
 * options and a rule, as JSON; whether it closes them again at once.
 */
const [options = "{}", rule = "{}", closes = ""] = process.argv.slice(2);

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const alerts = await openAlerts(manager, { rules: [JSON.parse(rule) as Rule], every: 200 });
if (closes === "closes") {
  await alerts.close();
  await manager.close();
}
