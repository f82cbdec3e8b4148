import type { Outcome, Send } from "../deliver/outcome.js";
import { sendCommand } from "./command.js";
import { sendEmail } from "./email.js";
import { sendHealthchecks } from "./healthchecks.js";
import { sendSlack } from "./slack.js";
import { sendWebhook } from "./webhook.js";

/** Delivers an alert to its receiver, once. */
export const send: Send = async (to, alert, options) => {
  try {
    return await sendTo(to, alert, options);
  } catch {
    // Its message may have an address or a password.
    return { type: "refused", why: "its receiver cannot be used: look at the options of the rule" } satisfies Outcome;
  }
};

function sendTo(...[to, alert, options]: Parameters<Send>): Promise<Outcome> {
  if ("webhook" in to) return sendWebhook(to, alert, options);
  if ("command" in to) return sendCommand(to, alert, options);
  if ("email" in to) return sendEmail(to, alert, options);
  if ("slack" in to) return sendSlack(to, alert, options);
  return sendHealthchecks(to, alert, options);
}
