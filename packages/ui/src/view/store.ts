import { basename, resolve } from "node:path";
import type { JobManager } from "@ojm/core";

/** The store of the records in words: its type, and where it is. Never a password. */
export function storeText({ channels }: JobManager): string {
  const { jobs } = channels;
  const { type, args } = jobs.locator ?? {};
  if (type === undefined) return jobs.supports.shared === "process" ? "memory" : "a store of the program";
  const place = placeOf(args ?? {});
  const kind = type.replace(/^@ojm\//, "");
  return place === undefined ? kind : `${kind} ${place}`;
}

function placeOf({ file, path, url, hosts }: Readonly<Record<string, unknown>>): string | undefined {
  for (const onDisk of [file, path]) if (typeof onDisk === "string") return basename(onDisk);
  if (typeof url === "string" && URL.canParse(url)) return new URL(url).host;
  const list = (Array.isArray(hosts) ? hosts : [hosts]).filter((host) => typeof host === "string");
  return list.length === 0 ? undefined : list.map((host) => host.replace(/^.*@|^\w+:\/\//g, "")).join(", ");
}

/**
 * The store as `--store` and `OJM_STORE` name it, with `***` for a password; `undefined` if the command line
 * has no such text for it, or cannot reach it beside the process that serves the pages.
 */
export function storeAddress({ channels: { jobs, locks } }: JobManager): string | undefined {
  const [args = {}, ofLocks] = [jobs, locks].map(({ locator }) => locator?.args);
  if (JSON.stringify(args) !== JSON.stringify(ofLocks)) return undefined;
  const { file, durability: _, url, hosts, keyPrefix, auth, ...others } = args;
  if (Object.keys(others).length > 0) return undefined;
  if (typeof file === "string") return `sqlite:${resolve(file)}`;
  if (typeof url === "string") return url.replace(/:\/\/.*@/, "://***@");
  if (!Array.isArray(hosts)) return undefined;
  const scheme = String(hosts[0]).startsWith("https:") ? "etcds" : "etcd";
  const names = hosts.map((host) => String(host).replace(/^.*[@/]/, "")).join(",");
  return `${scheme}://${auth === undefined ? "" : "***@"}${names}${keyPrefix === undefined ? "" : `/${keyPrefix}`}`;
}
