import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { visible } from "../../util/text.js";
import { whyUntrustedModule } from "../../util/trusted-file.js";
import { ChannelError } from "../errors.js";
import { ALIASES, PUBLISHED } from "../store-text.js";
import type { BackendType } from "./backend.js";
import { nearest } from "./config.js";
import { channelErrorOf, notBuilt } from "./driver-errors.js";

/** The types that the program registered by {@link registerBackend}, and those already found. */
const registered: Map<string, BackendType> = new Map();

/** The error codes of an `import` of something that is not a valid name. */
const NO_NAME: readonly string[] = [
  "ERR_INVALID_MODULE_SPECIFIER",
  "ERR_UNSUPPORTED_DIR_IMPORT",
  "ERR_UNSUPPORTED_ESM_URL_SCHEME",
  "ERR_UNKNOWN_BUILTIN_MODULE",
];

/** The package or the file that each type was imported from. */
const imported: WeakMap<BackendType, string> = new WeakMap();

/** A name by which {@link findType} finds the type in any thread; `undefined` if only this program can. */
export function nameFromAnywhere(type: BackendType): string | undefined {
  return imported.get(type);
}

/** Finds the name of a type that the program imported itself and passed as an object. */
export async function recognise(type: BackendType): Promise<void> {
  if (!PUBLISHED.includes(type.type) || imported.has(type)) return;
  // If the name resolves to the same type, the type is known by that name from now on.
  await findType(type.type).catch(() => {});
}

/**
 * Registers a backend type under its name and aliases, for `type` in configs. `module`: the file that exports
 * the type. The heartbeat thread needs it to open the same channels: that thread renews the locks while the
 * main thread is busy.
 */
export function registerBackend(backend: BackendType, module?: string): void {
  if (module !== undefined) imported.set(backend, module);
  for (const name of [backend.type, ...(backend.aliases ?? [])]) registered.set(name, backend);
}

/**
 * Finds a type by its name: a registered one, then `@ojm/<name>`, then a package or a path that exports a
 * backend. Opens nothing.
 *
 * `published`: finds only the types that ojm publishes, and only where the program is installed. Without it,
 * a package of the working folder counts too, unless another user could have written it; it is imported to
 * see whether it exports a backend.
 *
 * @throws ChannelError `UNKNOWN_TYPE`, which says what to install or the nearest name; `FAILED` if its
 * package cannot be loaded
 */
export async function findType(
  name: string,
  { published = false }: { readonly published?: boolean } = {},
): Promise<BackendType> {
  if (typeof name !== "string") throw new ChannelError("INVALID_CONFIG", "the type of a channel is a text");
  const known = registered.get(name);
  if (known !== undefined) return known;
  const isSought = !published || PUBLISHED.includes(ownName(name));
  const unused: string[] = [];
  const found = isSought ? await findModule(name, !published, unused) : undefined;
  if (found === undefined) throw unknownType(name, unused[0]);
  const type = exportedType(found.module);
  if (type === undefined) {
    throw new ChannelError(
      "UNKNOWN_TYPE",
      `"${name}" was found, but exports no backend (an object with "type" and "open")`,
    );
  }
  registered.set(name, type);
  imported.set(type, found.specifier.startsWith("file:") ? fileURLToPath(found.specifier) : found.specifier);
  return type;
}

interface Found {
  readonly module: unknown;
  readonly specifier: string;
}

const ownName = (name: string): string => ALIASES.get(name) ?? name;

/**
 * `here`: whether the working folder counts, before that of the program. `unused`: gets the reasons why a
 * package there does not.
 */
async function findModule(name: string, here: boolean, unused: string[]): Promise<Found | undefined> {
  if (name.startsWith(".") || isAbsolute(name)) return load(name, pathToFileURL(resolve(name)).href);
  if (!/^[a-z0-9@./_~:-]+$/i.test(name)) return undefined;
  const own = ownName(name);
  const ours = own.startsWith("@") ? [] : [`@ojm/${own}`];
  for (const candidate of PUBLISHED.includes(own) ? ours : [...ours, own]) {
    let found = await load(name, candidate);
    if (here) found ??= await loadFrom(name, process.cwd(), candidate, unused);
    found ??= await loadFrom(name, mainFolder(), candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mainFolder(): string {
  return resolve(process.argv[1] ?? ".", "..");
}

/**
 * Under a strict package manager, only the user's program can import the other packages. With `unused`, a
 * package that another user could have written is not loaded: `unused` gets the reason.
 */
async function loadFrom(
  name: string,
  folder: string,
  candidate: string,
  unused?: string[],
): Promise<Found | undefined> {
  const { resolve: find } = createRequire(join(folder, "-"));
  let file: string;
  try {
    file = find(candidate);
  } catch (error) {
    if (code(error) === "MODULE_NOT_FOUND" && notBuilt(error) === undefined) return undefined;
    throw broken(name, error);
  }
  if (!isAbsolute(file)) return load(name, file);
  const why = unused && whyUntrustedModule(candidate, file, find.paths(candidate) ?? []);
  if (why === undefined) return load(name, pathToFileURL(file).href);
  unused?.push(visible(why));
  return undefined;
}

async function load(name: string, specifier: string): Promise<Found | undefined> {
  try {
    return { module: await import(specifier), specifier };
  } catch (error) {
    if (isMissing(error, specifier)) return undefined;
    throw broken(name, error);
  }
}

/** Whether the module itself is missing, not something that it imports: that error must be shown. */
function isMissing(error: unknown, specifier: string): boolean {
  if (NO_NAME.includes(code(error) ?? "")) return true;
  if (code(error) !== "ERR_MODULE_NOT_FOUND") return false;
  const [, missing] = /Cannot find (?:package|module) '([^']+)'/.exec((error as Error).message) ?? [];
  const own = specifier.startsWith("file:") ? decodeURIComponent(new URL(specifier).pathname) : specifier;
  if (missing === undefined) return false;
  // The error of "package/part" names the package.
  return missing === specifier || missing === own || own.startsWith(`${missing}/`);
}

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function broken(name: string, cause: unknown): ChannelError {
  const error = channelErrorOf(cause, "not-applied");
  // The package is not built, or lacks one of its own dependencies, such as a driver.
  if (error.code === "UNKNOWN_TYPE") return error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ChannelError("FAILED", `the backend of channel type "${name}" could not be loaded: ${why}`, { cause });
}

function exportedType(module: unknown): BackendType | undefined {
  const { backend, default: standard } = module as { backend?: unknown; default?: unknown };
  return [backend, standard].find(isType);
}

function isType(value: unknown): value is BackendType {
  return typeof value === "object" && value !== null && "type" in value && "open" in value;
}

/** `unused`: why a package that was found is not used. */
function unknownType(name: string, unused?: string): ChannelError {
  const own = ownName(name);
  const more = unused === undefined ? "" : `. ${unused}`;
  if (PUBLISHED.includes(own)) {
    return new ChannelError("UNKNOWN_TYPE", `channel type "${name}" is not installed: npm install @ojm/${own}${more}`);
  }
  const near = nearest(name, [...PUBLISHED, ...registered.keys()]);
  const hint =
    name === "ignite"
      ? "There is none for Apache Ignite: for jobs on several machines use redis or etcd, on one machine sqlite"
      : near === undefined
        ? `Types are ${PUBLISHED.join(", ")}, or the name or path of a package that exports a backend`
        : `Did you mean "${near}"?`;
  return new ChannelError("UNKNOWN_TYPE", `no backend for the channel type "${name}" is installed. ${hint}${more}`);
}
