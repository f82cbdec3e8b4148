import type { HelperDelegate } from "handlebars";
import { escapeHtml, fillBlocks, valueAt } from "../../../text/template.js";

/** A template that is a path, in two or three braces. */
const PLAIN = /\{\{(?:\{\s*([\p{L}\p{N}_$.-]+)\s*\}|\s*([\p{L}\p{N}_$.-]+)\s*)\}\}/gu;

/** Fills a template of Handlebars, which may call `helpers` too. What has no value becomes nothing. */
export function templify(
  template: unknown,
  data: unknown = globalThis,
  helpers?: Readonly<Record<string, HelperDelegate>>,
): string {
  const text = String(template ?? "");
  if (!text.includes("{{")) return text;
  if (helpers !== undefined) return fillBlocks(text, data, { html: true, helpers });
  // Most templates are paths alone. They need no Handlebars, which takes long to load.
  const plain = text.replace(PLAIN, "");
  const isPlain = !plain.includes("{{") && !text.includes("\\{{");
  if (!isPlain || /\{\{\{?\s*(?:\$|this|else)/.test(text)) return fillBlocks(text, data, { html: true });
  return text.replace(PLAIN, (_, raw: string | undefined, escaped: string | undefined) => {
    const value = toText(valueAt(data, raw ?? escaped ?? ""));
    return raw === undefined ? escapeHtml(value) : value;
  });
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
