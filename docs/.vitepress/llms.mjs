import { addressOf } from "./markdown.mjs";
import { home, pagesOf, sections } from "./pages.mjs";

/** The text of `llms.txt`: all pages with their first sentences, for programs that read. */
export function llmsText(base) {
  const line = ({ path, title, sentence }) => {
    const link = `- [${title}](${base}${addressOf(path).slice(1)})`;
    return sentence === "" ? link : `${link}: ${sentence}`;
  };
  const parts = sections().flatMap(({ title, items }) => [`## ${title}`, pagesOf(items).map(line).join("\n")]);
  const first = home();
  return `${[`# ${first.title}`, `> ${first.sentence}`, line(first), ...parts].join("\n\n")}\n`;
}
