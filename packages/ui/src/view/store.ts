import { basename } from "node:path";
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
