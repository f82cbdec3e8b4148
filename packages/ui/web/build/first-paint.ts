import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { variables } from "./palette.js";

/**
 * Inlines `first.css` into index.html, and moves the program and all other styles to its end. The frame of
 * the page is then painted from the first answer alone: a link in the head delays the first paint until it is
 * loaded and parsed, and a program requested there starts before it.
 */
export function firstPaint(): Plugin {
  let root = "";
  return {
    name: "ojm-first-paint",
    configResolved(config) {
      root = config.root;
    },
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const late = html.match(/\s*(<link rel="stylesheet"[^>]*>|<script type="module"[^>]*><\/script>)/g) ?? [];
        const rest = late.reduce((text, tag) => text.replace(tag, ""), html);
        const style = firstStyle(readFileSync(join(root, "src/css/first.css"), "utf8"));
        return rest
          .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
          .replace("</body>", () => `  ${late.map((tag) => tag.trim()).join("\n    ")}\n  </body>`);
      },
    },
  };
}

/** The style without comments and white space, with the colours that it uses. */
function firstStyle(css: string): string {
  const short = css
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1");
  const used = new Set([...short.matchAll(/var\((--[a-z]+-\d+)\)/g)].map(([, name]) => name));
  const colours = variables().filter(([name]) => used.has(name));
  return `:root{${colours.map(([name, value]) => `${name}:${value};`).join("")}}${short.trim()}`;
}
