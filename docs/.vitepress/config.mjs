import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitepress";
import { llmsText } from "./llms.mjs";
import { addressOf, asOnGitHub, REPOSITORY, slug } from "./markdown.mjs";
import { sections } from "./pages.mjs";

const sidebarItem = ({ path, title, items }) => ({
  text: title,
  ...(path === undefined ? {} : { link: addressOf(path) }),
  ...(items.length === 0 ? {} : { items: items.map(sidebarItem), collapsed: true }),
});

export default defineConfig({
  title: "ojm",
  description: "Runs jobs so that the same job never runs twice at once, and records how every run ended.",
  lang: "en",
  head: [["link", { rel: "icon", href: "data:," }]],
  // On GitHub, README.md is the page of its folder.
  rewrites: (path) => path.replace(/(^|\/)README\.md$/, "$1index.md"),
  // Otherwise each page has the sidebar of all pages in it.
  metaChunk: true,
  // The sidebar has more links than a reader follows.
  router: { prefetchLinks: false },
  markdown: {
    anchor: { slugify: slug },
    // GitHub has no attributes in braces.
    attrs: { disable: true },
    languageAlias: { crontab: "sh" },
    config: (md) => void md.use(asOnGitHub),
  },
  buildEnd: ({ outDir, site }) => writeFileSync(join(outDir, "llms.txt"), llmsText(site.base)),
  vite: { build: { chunkSizeWarningLimit: 10_000 } },
  themeConfig: {
    // The section of the page that is shown is open, too.
    sidebar: sections().map(({ title, items }, i) => ({
      text: title,
      items: items.map(sidebarItem),
      collapsed: i > 1,
    })),
    nav: [
      { text: "Start", link: "/start/what-is-ojm.html" },
      { text: "Tutorials", link: "/tutorials/" },
      { text: "On call", link: "/on-call/" },
    ],
    outline: [2, 3],
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    editLink: { pattern: `${REPOSITORY}/edit/main/docs/:path`, text: "Edit this page" },
    search: {
      provider: "local",
      options: {
        detailedView: true,
        miniSearch: {
          // The browser gets these functions as text: they can use nothing from outside.
          options: {
            // A name such as OJM_STORE is one word, and its parts are words too.
            tokenize: (text) =>
              text
                .split(/[^\p{L}\p{N}_]+/u)
                .flatMap((word) => (word.includes("_") ? [word, ...word.split("_")] : [word]))
                .filter((word) => word !== ""),
          },
          searchOptions: {
            combineWith: "AND",
            fuzzy: 0.1,
            boostDocument: (id) => (id.includes("/reference/api/") ? 0.2 : 1),
          },
        },
      },
    },
  },
});
