import { durationText } from "@ojm/core/backend";
import { durationOf, type InMs } from "@ojm/core/internal";
import type { Outcome, Send, SendOptions } from "../deliver/outcome.js";
import { AlertsError, checkNames } from "../errors.js";
import type { Alert, Receiver } from "../types.js";
import { sendCommand } from "./command.js";
import { sendEmail } from "./email.js";
import { sendHealthchecks } from "./healthchecks.js";
import { sendSlack } from "./slack.js";
import { sendWebhook } from "./webhook.js";

/** The names of the receivers: each is the option that a rule has for it. */
type Name = Receiver extends infer R ? (R extends Receiver ? Exclude<keyof R, "secret" | "deadline"> : never) : never;

/** A kind of receiver: how it is checked, and how it gets an alert. */
interface Kind<R> {
  /** Its options besides the one with its name, and besides `deadline`. */
  readonly more?: readonly string[];
  /** @throws AlertsError `INVALID`, without a value in its message: addresses and passwords are secrets */
  check(where: string, value: unknown, options: Readonly<Record<string, unknown>>): void;
  send(to: InMs<R>, alert: Alert, options: SendOptions): Promise<Outcome>;
}

const checkHttp = (where: string, value: unknown): void => checkAddress(where, value, ["http:", "https:"]);

const RECEIVERS: { readonly [N in Name]: Kind<Extract<Receiver, { readonly [K in N]: unknown }>> } = {
  webhook: {
    more: ["secret"],
    check: (where, value, { secret }) => {
      checkHttp(where, value);
      if (secret !== undefined) checkSecret(where.replace(/webhook$/, "secret"), secret);
    },
    send: sendWebhook,
  },
  command: { check: checkCommand, send: sendCommand },
  email: { check: checkEmail, send: sendEmail },
  slack: { check: checkHttp, send: sendSlack },
  healthchecks: { check: checkHttp, send: sendHealthchecks },
};

const NAMES = Object.keys(RECEIVERS) as readonly Name[];

/** The longest time of an attempt, in ms: less than the timeout of the managed run. */
const LONGEST = 60_000;

const optionsOf = (name: Name): readonly string[] => [name, ...(RECEIVERS[name].more ?? [])];

/** Delivers an alert to its receiver, once. */
export const send: Send = async (to, alert, options) => {
  const name = NAMES.find((one) => one in to) ?? "webhook";
  try {
    return await (RECEIVERS[name] as Kind<never>).send(to as never, alert, options);
  } catch {
    // The message may contain an address or a password.
    return { type: "refused", why: "its receiver cannot be used: check the options of the rule" };
  }
};

/**
 * Checks a receiver and returns its name. No message contains a value: addresses and passwords are secrets.
 *
 * @throws AlertsError `INVALID`
 */
export function checkReceiver(where: string, to: unknown): string {
  checkNames(where, to, [...NAMES.flatMap(optionsOf), "deadline"]);
  const options = to as Readonly<Record<string, unknown>>;
  const found = NAMES.filter((name) => options[name] !== undefined);
  const [name] = found;
  if (name === undefined || found.length > 1)
    throw new AlertsError(
      `${where} must have exactly one of: ${NAMES.join(", ")}; a second receiver needs a rule of its own`,
    );
  checkNames(where, to, [...optionsOf(name), "deadline"]);
  const { deadline } = options;
  // The value is not in the message: it may be a secret in the wrong place.
  if (deadline !== undefined && durationOf(deadline, 1, LONGEST) === undefined)
    throw new AlertsError(
      `${where}: deadline must be a duration from 1 ms up to ${durationText(LONGEST)}, such as "10s"`,
    );
  RECEIVERS[name].check(`${where}.${name}`, options[name], options);
  return name;
}

/** @throws AlertsError `INVALID` */
export function checkAddress(where: string, address: unknown, protocols: readonly string[]): void {
  const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !protocols.includes(url.protocol))
    throw new AlertsError(
      `${where} must be an address that begins with ${protocols.map((each) => `${each}//`).join(" or ")}`,
    );
  if (url.protocol.startsWith("http") && (url.username !== "" || url.password !== ""))
    throw new AlertsError(`${where} must have no user and password in its address: fetch refuses it`);
}

/** Standard Webhooks requires 24 to 64 bytes. Older receivers have shorter secrets, which are accepted. */
function checkSecret(where: string, secret: unknown): void {
  const valid = typeof secret === "string" && /^whsec_[A-Za-z0-9+/]{8,}={0,2}$/.test(secret);
  if (!valid) throw new AlertsError(`${where} must be "whsec_" and the key in base64`);
}

function checkCommand(where: string, command: unknown): void {
  const valid =
    Array.isArray(command) &&
    command.length > 0 &&
    command[0] !== "" &&
    command.every((part) => typeof part === "string" && !part.includes("\0"));
  if (!valid) throw new AlertsError(`${where} must be a list: the program, then its arguments`);
}

function checkEmail(where: string, email: unknown): void {
  checkNames(where, email, ["to", "from", "smtp"]);
  const { to, from, smtp } = email as Readonly<Record<string, unknown>>;
  const all = Array.isArray(to) ? to : [to];
  if (all.length === 0 || !all.every(isMailAddress))
    throw new AlertsError(`${where}.to must be a mail address, or a list`);
  if (!isMailAddress(from)) throw new AlertsError(`${where}.from must be a mail address`);
  if (typeof smtp === "string") checkAddress(`${where}.smtp`, smtp, ["smtp:", "smtps:"]);
  else checkServer(`${where}.smtp`, smtp);
}

function checkServer(where: string, smtp: unknown): void {
  checkNames(where, smtp, ["host", "port", "secure", "auth", "tls"]);
  const { host } = smtp as Readonly<Record<string, unknown>>;
  if (typeof host !== "string" || host === "") throw new AlertsError(`${where}.host must be the name of a host`);
}

function isMailAddress(value: unknown): boolean {
  return typeof value === "string" && /^[^\r\n]*[^\s@]@[^\s@][^\r\n]*$/.test(value);
}
