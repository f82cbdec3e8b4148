import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** The pages of a built site, by their addresses from its root. */
export function builtPages(out) {
  const files = readdirSync(out, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
  return files.filter((file) => file.endsWith(".html") && file !== "404.html");
}

/** The links of a built site whose anchor is no heading of the page that they lead to. */
export function brokenAnchors(out, base = "/") {
  const pages = new Map(builtPages(out).map((file) => [file, readFileSync(join(out, file), "utf8")]));
  const anchors = new Map(
    [...pages].map(([file, html]) => [file, new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  );
  return [...pages].flatMap(([file, html]) =>
    [...html.matchAll(/<a [^>]*?href="([^":?#]*)#([^"]+)"/g)].flatMap(([, path, anchor]) => {
      const from = path.startsWith("/") ? path.slice(base.length) : join(dirname(file), path);
      const page = path === "" ? file : /(?:^|\/)\.?$/.test(from) ? join(from, "index.html") : from;
      const isThere = anchors.get(page)?.has(decodeURIComponent(anchor)) ?? true;
      return isThere ? [] : [`${file}: ${path}#${anchor}`];
    }),
  );
}
