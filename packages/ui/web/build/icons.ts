import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

/** The icons of the pages: our names, and the names of their shapes in lucide. */
export const ICONS = {
  now: "activity",
  timeline: "chart-gantt",
  jobs: "layers",
  runs: "rotate-ccw-clock",
  queues: "list-end",
  locks: "lock-keyhole",
  audit: "scroll-text",
  search: "search",
  completed: "circle-check",
  failed: "circle-x",
  timeout: "timer-off",
  lost: "unplug",
  cancelled: "ban",
  skipped: "circle-slash",
  missed: "calendar-x",
  running: "loader-circle",
  waiting: "hourglass",
  paused: "circle-pause",
  held: "construction",
  overdue: "alarm-clock",
  unattended: "user-x",
  long: "turtle",
  next: "calendar-clock",
  retry: "rotate-ccw",
  play: "play",
  resume: "circle-play",
  backfill: "calendar-plus",
  unlock: "lock-open",
  dots: "ellipsis",
  close: "x",
  sun: "sun",
  moon: "moon",
  auto: "sun-moon",
  globe: "globe",
  keyboard: "keyboard",
  download: "download",
  follow: "arrow-down-to-line",
  wrap: "text-wrap",
  warn: "triangle-alert",
  away: "cloud-off",
  info: "info",
  link: "link",
  zoomIn: "zoom-in",
  zoomOut: "zoom-out",
} as const;

const ID = "virtual:icons";

/** Serves the shapes of the used icons as data: the browser parses no markup. */
export function icons(): Plugin {
  return {
    name: "ojm-icons",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) => (id === `\0${ID}` ? `export default ${JSON.stringify(shapes())}` : undefined),
  };
}

type Nodes = readonly (readonly [string, Readonly<Record<string, string>>])[];

function shapes(): Readonly<Record<string, Nodes>> {
  const file = createRequire(import.meta.url).resolve("lucide-static/icon-nodes.json");
  const all = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Nodes>>;
  const found = Object.entries(ICONS).map(([name, source]): [string, Nodes] => {
    const nodes = all[source];
    if (nodes === undefined) throw new Error(`lucide-static has no icon "${source}"`);
    return [name, nodes];
  });
  return Object.fromEntries(found);
}
