import { computed, signal } from "@preact/signals";
import { leavePlace } from "../parts/steady/scroll.js";
import { base } from "./base.js";

/*
 * Not preact-iso: it throws during rendering if an address is not well encoded, such as `jobs/100%`, and does
 * not support a base path. This file has all that we need of a router.
 */

/** The address of the current page, below the base path. */
export interface Place {
  /** The decoded parts of the path: `["jobs", "backup", "why"]`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** The line of a log: `#L120`. */
  readonly hash: string;
}

const address = signal(location.href);

/** The current place. */
export const place = computed((): Place => {
  const url = new URL(address.value);
  const path = url.pathname.startsWith(base.pathname) ? url.pathname.slice(base.pathname.length) : url.pathname;
  return { parts: path.split("/").filter(Boolean).map(decoded), query: url.searchParams, hash: url.hash };
});

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Navigates to a path below the base. With `replace`, "back" skips the current place. */
export function go(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const url = new URL(path, base);
  if (url.href === location.href) return;
  leavePlace();
  const isNewPage = url.pathname !== new URL(address.peek()).pathname;
  history[replace ? "replaceState" : "pushState"]({ y: isNewPage ? 0 : scrollY }, "", url);
  address.value = url.href;
  if (isNewPage) scrollTo(0, 0);
}

/** Changes parts of the query, and leaves the rest. An empty value removes its part. "Back" undoes it. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  options?: { readonly replace?: boolean },
): void {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === "") url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  go(url.href, options);
}

/** Follows links to our own pages without reloading them. */
export function followLinks(): void {
  for (const type of ["popstate", "hashchange"]) addEventListener(type, () => (address.value = location.href));
  addEventListener("click", (event) => {
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
    if (!plain || event.defaultPrevented || link === undefined || link.target !== "" || link.hasAttribute("download"))
      return;
    const url = new URL(link.href);
    if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return;
    event.preventDefault();
    go(url.href);
  });
}

/** The address of each page, for links. */
export const to = {
  now: (): string => "./",
  timeline: (query = ""): string => `timeline${query}`,
  job: (name: string): string => `jobs/${encodeURIComponent(name)}`,
  why: (name: string): string => `jobs/${encodeURIComponent(name)}/why`,
  whyRun: (id: string): string => `${to.why(id.replace(/@[^@]*$/, ""))}?${new URLSearchParams({ run: id }).toString()}`,
  runs: (query = ""): string => `runs${query}`,
  run: (id: string): string => `runs/${encodeURIComponent(id)}`,
  compare: (a: string, b: string): string => `compare?${new URLSearchParams({ a, b })}`,
  queue: (name: string): string => `queues/${encodeURIComponent(name)}`,
  item: (queue: string, id: string): string => `${to.queue(queue)}/items/${encodeURIComponent(id)}`,
  audit: (): string => "audit",
} as const;

/** The pages, with the key that goes there after `g`. */
export const PAGES = [
  { path: to.now(), part: undefined, label: "Now", icon: "now", key: "n" },
  { path: to.timeline(), part: "timeline", label: "Timeline", icon: "timeline", key: "t" },
  { path: "jobs", part: "jobs", label: "Jobs", icon: "jobs", key: "j" },
  { path: to.runs(), part: "runs", label: "Runs", icon: "runs", key: "r" },
  { path: "queues", part: "queues", label: "Queues", icon: "queues", key: "q" },
  { path: "locks", part: "locks", label: "Locks", icon: "locks", key: "l" },
  { path: to.audit(), part: "audit", label: "Audit", icon: "audit", key: "a" },
] as const;
