import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Clock, systemClock } from "../clock.js";
import type { Backend, BackendType } from "./backend.js";
import { Channel } from "./channel.js";
import { nearest } from "./config.js";
import { ChannelError } from "./errors.js";
import type { JsonValue } from "./json.js";
import { Scope } from "./scope.js";
import { Store } from "./store.js";
import type { OpenOptions } from "./types.js";

/** Types that need no package of their name: aliases and, by {@link registerBackend}, the program's own. */
const registered: Map<string, BackendType> = new Map();
const ALIASES: Readonly<Record<string, string>> = { db: "sqlite" };
const PUBLISHED = ["simple", "level", "sqlite", "redis", "etcd"];

/** Makes a backend type known by its name and aliases, for `type` in configs. */
export function registerBackend(backend: BackendType): void {
  for (const name of [backend.type, ...(backend.aliases ?? [])]) registered.set(name, backend);
}

/**
 * Opens the channel `name` on the backend that `options` names: an in-memory one without options.
 *
 * Channels that are opened with the same type and equal args share one connection.
 *
 * @throws ChannelError `UNKNOWN_TYPE` if no such backend is installed (the message says what to install), `INVALID_CONFIG` for
 * a wrong option, and whatever keeps the store from opening
 * @example
 * const channel = await openChannel("jobs", { type: "redis", args: { url: "redis://localhost" } });
 */
export async function openChannel<V = JsonValue>(
  name: string,
  options: OpenOptions & { readonly clock?: Clock } = {},
): Promise<Channel<V>> {
  const scope = new Scope(name);
  const clock = options.clock ?? systemClock;
  const { backend } = options;
  if (backend !== undefined && "commit" in backend) {
    return new Channel<V>(name, lentStore(backend).join(), scope, clock);
  }
  const type = backend ?? (await findType(options.type ?? "simple"));
  const store = await sharedStore(type, options.args ?? {}, clock);
  return new Channel<V>(name, store, scope, clock);
}

const lent: WeakMap<Backend, Store> = new WeakMap();

/** The store of a backend that the caller opened, and will close. */
function lentStore(backend: Backend): Store {
  let store = lent.get(backend);
  if (store === undefined) {
    store = new Store(backend, async () => {});
    lent.set(backend, store);
  }
  return store;
}

const open: Map<BackendType, Map<string, Promise<Store>>> = new Map();

/** One store for all who open the same type with equal args: that is what lets one commit write to two channels. */
async function sharedStore(type: BackendType, args: Readonly<Record<string, unknown>>, clock: Clock): Promise<Store> {
  const stores = open.get(type) ?? new Map<string, Promise<Store>>();
  open.set(type, stores);
  const id = storeId(args, clock);
  let opening = stores.get(id);
  if (opening === undefined) {
    opening = type.open(args, { clock }).then((backend) => {
      return new Store(backend, async () => {
        stores.delete(id);
        await backend.close();
      });
    });
    stores.set(id, opening);
    // The next caller tries again: a server that is down now may be up then.
    opening.catch(() => stores.delete(id));
  }
  return (await opening).join();
}

const identities: WeakMap<object, number> = new WeakMap();
let lastIdentity = 0;

function identity(value: object): number {
  const known = identities.get(value) ?? ++lastIdentity;
  identities.set(value, known);
  return known;
}

/** Equal for equal args. What is no plain data, a client or a clock, is told apart by which object it is. */
function storeId(args: Readonly<Record<string, unknown>>, clock: Clock): string {
  const text = JSON.stringify(args, (_key, value: unknown) => {
    if (typeof value === "function") return { identity: identity(value) };
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return { identity: identity(value) };
    const map = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(map)
        .sort()
        .map((key) => [key, map[key]]),
    );
  });
  return `${identity(clock)} ${text}`;
}

/** A type by its name: a registered one, then `@ojm/<name>`, then a package or a path that exports a backend. */
async function findType(name: string): Promise<BackendType> {
  const known = registered.get(name);
  if (known !== undefined) return known;
  if (!/^[a-z0-9@./_~\\:-]+$/i.test(name)) throw unknownType(name);
  const own = ALIASES[name] ?? name;
  const isPath = own.startsWith(".") || isAbsolute(own);
  const names = isPath ? [] : PUBLISHED.includes(own) ? [`@ojm/${own}`] : [`@ojm/${own}`, own];
  const module = isPath ? await importPath(own) : await importFirst(names);
  if (module === undefined) throw unknownType(name);
  const type = exportedType(module);
  if (type === undefined) {
    throw new ChannelError(
      "UNKNOWN_TYPE",
      `"${name}" was found, but exports no backend (an object with "type" and "open")`,
    );
  }
  registered.set(name, type);
  return type;
}

async function importPath(path: string): Promise<unknown> {
  return importIfThere(pathToFileURL(resolve(path)).href);
}

async function importFirst(names: readonly string[]): Promise<unknown> {
  for (const name of names) {
    const found =
      (await importIfThere(name)) ?? (await importFrom(process.cwd(), name)) ?? (await importFrom(mainFolder(), name));
    if (found !== undefined) return found;
  }
  return undefined;
}

function mainFolder(): string {
  return resolve(process.argv[1] ?? ".", "..");
}

/** With strict package managers this package does not see its neighbours: the user's program does. */
async function importFrom(folder: string, name: string): Promise<unknown> {
  try {
    return await importIfThere(pathToFileURL(createRequire(join(folder, "-")).resolve(name)).href);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function importIfThere(specifier: string): Promise<unknown> {
  try {
    return await import(specifier);
  } catch (error) {
    // What the package itself fails to import is its own fault, and must be seen.
    if (isMissing(error) && String((error as Error).message).includes(bare(specifier))) return undefined;
    throw error;
  }
}

function bare(specifier: string): string {
  return specifier.startsWith("file:") ? decodeURIComponent(new URL(specifier).pathname) : specifier;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}

function exportedType(module: unknown): BackendType | undefined {
  const { backend, default: standard } = module as { backend?: unknown; default?: unknown };
  return [backend, standard].find(isType);
}

function isType(value: unknown): value is BackendType {
  return typeof value === "object" && value !== null && "type" in value && "open" in value;
}

function unknownType(name: string): ChannelError {
  if (PUBLISHED.includes(ALIASES[name] ?? name)) {
    return new ChannelError(
      "UNKNOWN_TYPE",
      `channel type "${name}" is not installed: npm install @ojm/${ALIASES[name] ?? name}`,
    );
  }
  const near = nearest(name, [...PUBLISHED, ...registered.keys()]);
  const hint =
    name === "ignite"
      ? "There is none for Apache Ignite: for jobs on several machines use redis or etcd, on one machine sqlite"
      : near === undefined
        ? `Types are ${PUBLISHED.join(", ")}, or the name or path of a package that exports a backend`
        : `Did you mean "${near}"?`;
  return new ChannelError("UNKNOWN_TYPE", `no backend for the channel type "${name}" is installed. ${hint}`);
}
