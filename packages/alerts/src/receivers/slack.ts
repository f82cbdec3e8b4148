import { LINES, visible } from "@ojm/core/internal";
import { cut } from "../cut.js";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert } from "../types.js";
import { post } from "./http.js";
import { facts, headline } from "./text.js";
import { HTTP_DEADLINE } from "./webhook.js";

/** The limits of Slack for the text of a header, and of a section. */
const LONGEST_HEADER = 150;
const LONGEST_TEXT = 3_000;

/** Posts an alert to a webhook of Slack. Names and errors are plain text: they cannot mention or link. */
export function sendSlack(
  { slack: address, deadline = HTTP_DEADLINE }: { readonly slack: string; readonly deadline?: number },
  alert: Alert,
  options: SendOptions,
): Promise<Outcome> {
  const title = headline(alert);
  const rows = facts(alert).map(([field, value]) => `${field}: ${value}`);
  const error = alert.error === undefined ? [] : [plain(visible(alert.error, LINES))];
  // Escape "|", which ends a link in Slack: the address of the UI may contain it.
  const target = escaped(alert.link ?? "").replaceAll("|", "%7C");
  const link = target === "" ? [] : [{ type: "section", text: { type: "mrkdwn", text: `<${target}|Open in ojm>` } }];
  const blocks = [
    { type: "header", text: { type: "plain_text", text: cut(title, LONGEST_HEADER), emoji: false } },
    ...link,
    ...[rows.join("\n"), ...error.map(({ text }) => text)].map((text) => ({ type: "section", text: plain(text) })),
  ];
  const body = JSON.stringify({ text: escaped(title), blocks, unfurl_links: false, unfurl_media: false });
  return post({ address, body, headers: { "content-type": "application/json" }, deadline }, options);
}

function plain(text: string): { readonly type: "plain_text"; readonly text: string; readonly emoji: false } {
  return { type: "plain_text", text: cut(text, LONGEST_TEXT), emoji: false };
}

/** Escapes the three characters that start mentions, links and entities in a text of Slack. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
