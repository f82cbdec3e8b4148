import { existsSync, statSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { DOCS, indexOf } from "./pages.mjs";

export const REPOSITORY = "https://github.com/ojm-project/ojm";

const OURS = new RegExp(`^${REPOSITORY}/(?:blob|tree)/main/`);

/** The address of a page on the site. */
export const addressOf = (path) => `/${path.replace(/(^|\/)(?:README|index)\.md$/, "$1").replace(/\.md$/, ".html")}`;

/** The anchor of a heading, as GitHub makes it: the same links work there and on the site. */
export function slug(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}

/** Where a link of a page leads on the site. Links that leave `docs` lead to GitHub. */
function onSite(href, page, isIncluded) {
  const [, path = "", rest = ""] = /^([^?#]*)(.*)$/.exec(href);
  const isOurs = OURS.test(path);
  if (path === "" || (!isOurs && /^(?:[a-z]+:|\/)/.test(path))) return href;
  let target = isOurs ? path.replace(OURS, "") : normalize(join("docs", dirname(page), path));
  // Links in a file of the root, such as CONTRIBUTING.md, begin at the root.
  if (isIncluded && !isOurs && !existsSync(join(DOCS, "..", target))) target = normalize(path);
  target = target.replace(/\/$/, "");
  if (!target.startsWith("docs/") && target !== "docs") return onGitHub(target, rest);
  const inDocs = target.slice("docs/".length);
  const file = pageAt(inDocs);
  if (file !== undefined) return `/${file.replace(/(^|\/)README\.md$/, "$1index.md")}${rest}`;
  // The link to a page that does not exist stays as it is, and fails the build.
  return inDocs.endsWith(".md") ? href : onGitHub(target, rest);
}

const onGitHub = (target, rest) => `${REPOSITORY}/${extname(target) === "" ? "tree" : "blob"}/main/${target}${rest}`;

/** The page at a path of `docs`: itself, or that of the folder. */
function pageAt(path) {
  if (!existsSync(join(DOCS, path))) return undefined;
  if (statSync(join(DOCS, path)).isDirectory()) return indexOf(path);
  return path.endsWith(".md") ? path : undefined;
}

/** Renders a page as GitHub does. A plugin of markdown-it. */
export function asOnGitHub(md) {
  md.core.ruler.push("ojm-links", ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href !== null) token.attrSet("href", onSite(href, env.relativePath ?? "", env.includes?.length > 0));
    }
  });
  // Otherwise Vue evaluates what is between two braces.
  for (const name of ["text", "code_inline"]) {
    const render = md.renderer.rules[name];
    md.renderer.rules[name] = (...args) => render(...args).replaceAll("{{", "&#123;&#123;");
  }
}
