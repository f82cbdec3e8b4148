import { durationText } from "@ojm/core/backend";
import { type InMs, LINES, visible } from "@ojm/core/internal";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert, EmailReceiver, SmtpServer } from "../types.js";
import { codeOf } from "./http.js";
import { facts, headline } from "./text.js";

const DEADLINE = 30_000;

/** The part of nodemailer that this package calls. Any version that has it works. */
interface Nodemailer {
  createTransport(options: object): { sendMail(mail: object): Promise<unknown>; close(): void };
}

/** Sends an alert as a mail. A mailbox can recognise a second delivery by its Message-ID. */
export async function sendEmail(
  { email, deadline = DEADLINE }: InMs<EmailReceiver>,
  alert: Alert,
  { signal }: SendOptions,
): Promise<Outcome> {
  const nodemailer = await loadNodemailer();
  if (nodemailer === undefined) return { type: "later", why: "nodemailer is not installed" };
  const { to, from, smtp } = email;
  const transport = nodemailer.createTransport({
    ...(typeof smtp === "string" ? serverOf(smtp) : smtp),
    connectionTimeout: deadline,
    greetingTimeout: deadline,
    socketTimeout: deadline,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const late = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  const stopped = new Promise<Outcome>((resolve) => {
    const stop = (): void =>
      resolve({ type: "later", why: `the mail server did not take it within ${durationText(deadline)}` });
    if (late.aborted) stop();
    else late.addEventListener("abort", stop, { once: true });
  });
  try {
    const mail = {
      from,
      to: [to].flat(),
      subject: headline(alert),
      text: textOf(alert),
      messageId: messageId(alert, from),
    };
    return await Promise.race([transport.sendMail(mail).then((): Outcome => ({ type: "taken" }), failure), stopped]);
  } finally {
    transport.close();
  }
}

/** Nodemailer, if it is installed. Only rules that send mail need it. */
export async function loadNodemailer(): Promise<Nodemailer | undefined> {
  try {
    const loaded: object = await import("nodemailer");
    return "default" in loaded ? (loaded.default as Nodemailer) : (loaded as Nodemailer);
  } catch {
    return undefined;
  }
}

function serverOf(address: string): SmtpServer {
  const { protocol, hostname: host, port, username, password } = new URL(address);
  const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const secure = protocol === "smtps:";
  return { host, secure, ...(port !== "" && { port: Number(port) }), ...(username !== "" && { auth }) };
}

/** A response of 500 or more concerns this mail; all others concern the server or the connection. */
function failure(error: unknown): Outcome {
  const { responseCode, code } = (error ?? {}) as { responseCode?: unknown; code?: unknown };
  const why = `the mail server did not take it${codeOf(error)}`;
  const number = typeof responseCode === "number" ? ` (${responseCode})` : "";
  const refused = typeof responseCode === "number" && responseCode >= 500 && code !== "EAUTH";
  return { type: refused ? "refused" : "later", why: `${why}${number}` };
}

function messageId({ id }: Alert, from: string): string {
  const domain = /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? "ojm.invalid";
  return `<${id}@${domain}>`;
}

function textOf(alert: Alert): string {
  const rows = facts(alert).map(([field, value]) => `${field}: ${value}`);
  const error = alert.error === undefined ? [] : ["", visible(alert.error, LINES)];
  const link = alert.link === undefined ? [] : ["", alert.link];
  return [headline(alert), ...link, "", ...rows, ...error, "", `alert: ${alert.id} (rule ${alert.rule})`].join("\n");
}
