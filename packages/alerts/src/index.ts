/** Alerts about the runs of ojm. */
import type { Alerts as OpenedAlerts } from "./alerts.js";

export { AlertsError } from "./errors.js";
export { alertDamage } from "./look/state.js";
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

/** Looks after events and from time to time, until it is closed. {@link openAlerts} opens it. */
export type Alerts = OpenedAlerts;
