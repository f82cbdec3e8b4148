/** As Handlebars, and so OpenAF, escapes what stands in two braces. */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
  "`": "&#x60;",
  "=": "&#x3D;",
};

/** The text as templates put it into HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`=]/g, (one) => ESCAPES[one] ?? one);
}
