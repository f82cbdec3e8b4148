import type { Notify, NotifyRule } from "./job-file.js";
import { anything, closedMap, either, flag, list, number, required, type Shape, some, text, word } from "./shape.js";
import { child, itemsOf, type Node, placesIn, textOf, toMap } from "./yaml/node.js";

const deadline = number("How long an attempt may take, in milliseconds.", "milliseconds", 1);

const server = closedMap(
  {
    host: required(text("The name of the host.")),
    port: number("The port.", "ports", 1),
    secure: flag("Whether the connection begins with TLS."),
    auth: closedMap(
      { user: required(text("The user.")), pass: required(text("The password.")) },
      "The login of the sender.",
    ),
    tls: anything("Options of Node's tls.connect."),
  },
  "A mail server.",
);

const email = closedMap(
  {
    to: required(some(text("A mail address."), "Who gets the mail.")),
    from: required(text("Who sends the mail.")),
    smtp: required(either("The mail server.", text("smtp://user:password@host:587"), server)),
  },
  "Mail. It needs the package nodemailer.",
);

const receiver = closedMap(
  {
    webhook: text("An address that accepts a POST, as specified by Standard Webhooks."),
    secret: text("The secret that signs it: whsec_ and base64."),
    command: list(
      text("The program, then its arguments."),
      "A program that gets the alert as JSON. It runs without a shell.",
    ),
    email,
    slack: text("The address of an incoming webhook of Slack."),
    healthchecks: text("The address of a check of healthchecks.io, or of a program like it."),
    deadline,
  },
  "The receiver: exactly one of webhook, command, email, slack, healthchecks.",
);

const KINDS = ["started", "completed", "failed", "lost", "timeout", "recovered", "long", "missed", "late"] as const;

export const notifyRule: Shape = closedMap(
  {
    id: text("The alerts of the rule are stored under it. Default: a hash of the rule."),
    on: required(some(word("What causes an alert.", ...KINDS), "What causes an alert.")),
    jobs: some(text("The name of a run; * stands for any text."), "About which runs. Default: all."),
    after: number("How many runs in a row must have ended in error, before an alert is sent.", "runs", 1),
    longer: number("For `long`: how long a run may take, in milliseconds.", "milliseconds", 1),
    later: number("For `late`: how long after its tick a run may begin, in milliseconds.", "milliseconds", 1),
    grace: number("For `missed`: how long a tick may be undecided, in milliseconds.", "milliseconds", 1_000),
    to: required(receiver),
  },
  "A rule.",
);

const rules = list(notifyRule, "Which runs cause an alert, and who receives it.");

/** The alerts about the runs of the job manager. The config of the command line uses the same shape. */
export const notify: Shape = either(
  "Alerts about the runs of the job manager: a list of rules, or a map that has them under `rules`.",
  rules,
  closedMap(
    { rules: required(rules), url: text("The address of the UI: each alert then has the link to its run.") },
    "The rules, and what all their alerts have.",
  ),
);

/** The depth to which the places in a rule are known: `to.email.smtp.host`. */
const LEVELS = 4;

/** Reads `notify` from a checked node. An empty list counts: it replaces the rules of an included file. */
export function readNotify(node: Node | undefined): Notify | undefined {
  if (node === undefined) return undefined;
  const rules = readRules(node.kind === "map" ? child(node, "rules") : node);
  const url = child(node, "url");
  return { rules, ...(url && { url: { text: textOf(url) ?? "", at: url.at } }) };
}

function readRules(node: Node | undefined): NotifyRule[] {
  return itemsOf(node).map((item) => {
    const { id, to, ...rest } = toMap(item);
    const command = child(child(item, "to"), "command");
    const receiver = { ...(to as object | undefined), ...(command && { command: textsOf(command) }) };
    const [on, jobs] = [child(item, "on"), child(item, "jobs")];
    const values = {
      // A name that consists of digits is a text too.
      ...(id !== undefined && id !== null && { id: String(id) }),
      ...rest,
      ...(on && { on: textsOf(on) }),
      ...(jobs && { jobs: textsOf(jobs) }),
      to: receiver,
    };
    return { values, at: item.at, places: Object.fromEntries(placesIn(item, LEVELS)) };
  });
}

function textsOf(node: Node): string[] {
  return itemsOf(node).flatMap((item) => textOf(item) ?? []);
}
