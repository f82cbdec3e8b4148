/** Alerts about the runs of ojm. */

export type { Alerts } from "./alerts.js";
export { alertDamage } from "./check/state.js";
export { AlertsError } from "./errors.js";
export { openAlerts } from "./open.js";
export { type PingOptions, ping } from "./receivers/healthchecks.js";
export { checkRules } from "./rules/check.js";
export type {
  Alert,
  AlertKind,
  AlertsOptions,
  CommandReceiver,
  EmailReceiver,
  Receiver,
  Rule,
  SmtpServer,
  WebhookReceiver,
} from "./types.js";
