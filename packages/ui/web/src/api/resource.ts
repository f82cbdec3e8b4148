import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { onNews } from "../live/news.js";
import { ApiError, read } from "./call.js";

/** An answer of the API that is kept up to date while it is shown. */
export interface Resource<T> {
  readonly data: Signal<T | undefined>;
  /** Why the last call failed. `data` then has the previous answer. */
  readonly error: Signal<ApiError | undefined>;
  /** Reads it again, at once or after the call in progress. */
  refresh(): void;
}

interface Cached extends Resource<unknown> {
  users: number;
  /** Whether it was requested while its page was rendered. */
  isRequested: boolean;
  busy: boolean;
  again: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

/** Answers are cached for "back", which then shows them at once. */
const MAX_CACHED = 40;
const cache = new Map<string, Cached>();

/** How long to wait after a failed call, in ms, and after an answer that says that it is not complete yet. */
const RETRY = 2_000;
const COUNTING = 10_000;

/** Options of {@link useResource}. */
export interface ResourceOptions {
  /** The jobs whose changes affect the answer. Absent: all. `[]`: none. */
  readonly names?: readonly string[];
  /** The longest time before it is read again, in ms. */
  readonly every?: number;
}

/** Reads a path of the API, and reads it again after changes. */
export function useResource<T>(path: string, { names, every }: ResourceOptions = {}): Resource<T> {
  const resource = useMemo(() => {
    const it = resourceOf(path);
    // At once: an effect would wait for the paint of a page that has nothing to show.
    if (it.users === 0) {
      it.isRequested = true;
      load(path, it);
    }
    return it;
  }, [path]);
  const concerned = names?.join("\n");
  useEffect(() => {
    resource.users++;
    if (!resource.isRequested) load(path, resource);
    resource.isRequested = false;
    const off = onNews((changed) => {
      const isOurs = changed === "all" || concerned === undefined || changed.some((name) => names?.includes(name));
      if (isOurs) load(path, resource);
    });
    const timer = every === undefined ? undefined : setInterval(() => load(path, resource), every);
    return () => {
      off();
      clearInterval(timer);
      resource.users--;
      if (resource.users === 0) clearTimeout(resource.timer);
    };
  }, [path, concerned, every]);
  return resource as Resource<T>;
}

/** The same for as long as the program runs. The caller reads it again after changes. */
export function keptResource<T>(path: string): Resource<T> {
  const resource = resourceOf(path);
  resource.users++;
  return resource as Resource<T>;
}

function resourceOf(path: string): Cached {
  const resource: Cached = cache.get(path) ?? {
    data: signal(undefined),
    error: signal(undefined),
    ...{ users: 0, isRequested: false, busy: false, again: false },
    refresh: () => load(path, resource),
  };
  // The last one in the map is the one that was used last.
  cache.delete(path);
  cache.set(path, resource);
  for (const [old, { users }] of cache) {
    if (cache.size <= MAX_CACHED) break;
    if (users === 0) cache.delete(old);
  }
  return resource;
}

/** Makes one call at a time. Changes during a call lead to another one: its answer may be older. */
function load(path: string, resource: Cached): void {
  clearTimeout(resource.timer);
  if (resource.busy) {
    resource.again = true;
    return;
  }
  resource.busy = true;
  read(path)
    .then(
      (answer) => {
        resource.data.value = answer;
        resource.error.value = undefined;
        const isPartial = (answer as { readonly counting?: true }).counting === true;
        if (isPartial && resource.users > 0) resource.timer = setTimeout(() => load(path, resource), COUNTING);
      },
      (error: unknown) => {
        resource.error.value = error instanceof ApiError ? error : new ApiError("UNKNOWN", String(error), 0);
        if (resource.error.value.isAway && resource.users > 0) {
          resource.timer = setTimeout(() => load(path, resource), RETRY);
        }
      },
    )
    .finally(() => {
      resource.busy = false;
      const { again } = resource;
      resource.again = false;
      if (again && resource.users > 0) load(path, resource);
    });
}
