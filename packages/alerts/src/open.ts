import type { Channel, JobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { durationOf } from "@ojm/core/internal";
import { Alerts } from "./alerts.js";
import { stateOf } from "./check/check.js";
import { CHANNEL, type Stored } from "./check/state.js";
import type { Send } from "./deliver/outcome.js";
import { AlertsError } from "./errors.js";
import { loadNodemailer } from "./receivers/email.js";
import { send } from "./receivers/receivers.js";
import { checkOptions } from "./rules/check.js";
import { checkedRule } from "./rules/checked-rule.js";
import type { AlertsOptions } from "./types.js";

const EVERY = 30_000;

/**
 * Sends alerts about runs to receivers. Of all processes with the same rules, one sends each alert, at least
 * once. An alert stays in the store until its receiver took it.
 *
 * A rule reports events from its first opening on, even those that happened while no process ran. Open alerts
 * keep the process alive until {@link Alerts.close}.
 *
 * @throws AlertsError `INVALID` for an unknown or invalid option; ChannelError if the store fails
 * @example
 * await using alerts = await openAlerts(manager, {
 *   rules: [{ on: ["failed", "recovered"], to: { webhook: "https://example.com/hook", secret: "whsec_…" } }],
 * });
 */
export async function openAlerts(manager: JobManager, options: AlertsOptions): Promise<Alerts> {
  checkOptions(options);
  const mail = options.rules.findIndex(({ to }) => "email" in to);
  if (mail >= 0 && (await loadNodemailer()) === undefined)
    throw new AlertsError(`rules[${mail}].to.email needs the package "nodemailer": npm install nodemailer`);
  return openWith(manager, options, send);
}

/** Opens alerts with a replaced `send`, for simulations: does not check the options. */
export async function openWith(manager: JobManager, options: AlertsOptions, send: Send): Promise<Alerts> {
  const { url, clock = systemClock } = options;
  const rules = options.rules.map(checkedRule);
  const channel = await manager.channel<Stored>(CHANNEL);
  const now = (): number => clock.now();
  const { jobs, locks } = manager.channels;
  if (!channel.joins(locks as Channel<unknown>) || !jobs.supports.commitAcrossChannels)
    throw new AlertsError(
      "alerts need a store whose commits can write to several channels: a Redis Cluster needs a keyPrefix with a hash tag",
    );
  for (const rule of rules) await stateOf(channel, rule.id, now());
  const alerts = new Alerts(
    { manager, channel, rules, send: url === undefined ? send : withLink(send, url), now },
    clock,
    durationOf(options.every) ?? EVERY,
  );
  alerts.begin();
  return alerts;
}

/** Adds the link when an alert is sent, so that pending alerts get the current address. */
function withLink(send: Send, url: string): Send {
  const base = new URL(url);
  const path = base.pathname.replace(/\/+$/, "");
  return (to, alert, options) => {
    const { run, name } = alert;
    const place = run === undefined ? `jobs/${encodeURIComponent(name)}` : `runs/${encodeURIComponent(run)}`;
    return send(to, { ...alert, link: `${base.origin}${path}/${place}` }, options);
  };
}
