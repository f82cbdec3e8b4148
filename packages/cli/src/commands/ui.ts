import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { JobManager } from "@ojm/core";
import { notBuilt, whyUntrustedModule } from "@ojm/core/internal";
import type { UiServer, UiServerOptions, Viewer } from "@ojm/ui";
import { expectNoMore, lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { CommandError, EXIT } from "../errors.js";
import { print, printError } from "../output/print.js";
import { withStore } from "../store/open.js";
import { otherReasons } from "./exec/other-reasons.js";

/** The default port, unless it is taken: a bookmark points to it. */
const PORT = 7717;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Serves the UI on this machine, until a signal. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const { openUiServer, addUiUser } = await loadUi();
  const added = lastValue(given, "add-user");
  if (added !== undefined) return await addUser(addUiUser, added, lastValue(given, "users"));
  const { host, port } = placeOption(given);
  return withStore(given, async (manager) => {
    // Of this process, with the last successes of all processes that share its store.
    const metrics = given.flags.has("metrics") && (await import("@ojm/otel/prometheus")).openPrometheus({ manager });
    const options = {
      ...optionsOf(given, manager),
      ...(host !== undefined && { host }),
      ...(metrics && { metrics: metrics.text }),
    };
    const ui = await serve(openUiServer, options, port);
    const hasLinks = options.users === undefined;
    const lines = hasLinks && process.stdin.isTTY ? createInterface({ input: process.stdin }) : undefined;
    try {
      print(`${ui.url}\n`);
      const more = lines === undefined ? "" : ", Enter shows another";
      const how = hasLinks
        ? `the link is good once, for a minute${more}`
        : `the users of ${options.users} sign in there`;
      printError(`ojm ui: ${how}; Ctrl-C ends it`);
      lines?.on("line", () => print(`${ui.link()}\n`));
      await signalled();
    } finally {
      lines?.close();
      await ui.close();
    }
    return EXIT.ok;
  });
}

/** Where it listens. Port 0 is any free one. */
function placeOption(given: Given): { readonly host?: string; readonly port?: number } {
  const [port, listen] = [lastValue(given, "port"), lastValue(given, "listen")];
  if (listen === undefined) return port === undefined ? {} : { port: portOf("--port", port) };
  if (port !== undefined) throw new CommandError("--listen already has the port: leave out --port");
  const [, host, after = ""] = /^\[?([^\s[\]/]+?)\]?:(\d+)$/.exec(listen) ?? [];
  if (host === undefined) throw new CommandError(`--listen takes HOST:PORT, such as 0.0.0.0:7717, not "${listen}"`);
  return { host, port: portOf("the port of --listen", after) };
}

function portOf(what: string, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new CommandError(`${what} takes a number from 0 to 65535, not "${text}"`);
}

/** Adds a user, or gives one a new password, which it prints. */
async function addUser(add: AddUser, text: string, file: string | undefined): Promise<number> {
  if (file === undefined) throw new CommandError("--add-user needs the file of the users: --users FILE");
  const [user = "", role = "read"] = text.split(":");
  try {
    const password = await add(file, { user, role: role as Viewer["role"] });
    print(`${password}\n`);
  } catch (error) {
    if (error instanceof TypeError) throw new CommandError(error.message);
    throw error;
  }
  printError(`ojm ui: this is the password of ${user}, with the role ${role}; ${file} has only its hash`);
  return EXIT.ok;
}

function optionsOf(given: Given, manager: JobManager): UiServerOptions {
  const { OJM_UI_SECRET: secret } = process.env;
  delete process.env["OJM_UI_SECRET"];
  const basePath = lastValue(given, "base-path");
  const hosts = given.values["allow-host"];
  const users = lastValue(given, "users");
  return {
    manager,
    reasons: (name, running) => otherReasons(manager, name, running),
    readOnly: given.flags.has("read-only"),
    showResults: given.flags.has("show-results"),
    ...(basePath !== undefined && { basePath }),
    ...(hosts !== undefined && { hosts }),
    ...(users !== undefined && { users }),
    trustProxy: given.flags.has("trust-proxy"),
    ...(secret && { secret }),
  };
}

type Serve = (options: UiServerOptions) => Promise<UiServer>;
type AddUser = (file: string, viewer: Viewer) => Promise<string>;

async function serve(openUiServer: Serve, options: UiServerOptions, port: number | undefined): Promise<UiServer> {
  try {
    return await openUiServer({ ...options, port: port ?? PORT });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" && port === undefined) return openUiServer(options);
    const by = options.host === undefined ? "--port" : "--listen";
    if (code === "EADDRINUSE") throw new CommandError(`port ${port} is taken: choose another by ${by}`);
    if (code === "EACCES") throw new CommandError(`port ${port} is not for this user: choose one from 1024 up`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN")
      throw new CommandError(`${options.host} is not an address of this machine: choose another by --listen`);
    if (error instanceof TypeError) throw new CommandError(inThisCommand(message));
    throw error;
  }
}

/** In this command, options have other names than in a program. */
function inThisCommand(message: string): string {
  return message
    .replace(/^secret\b/, "OJM_UI_SECRET")
    .replace(/give users .*$/, "give the users who may sign in by --users FILE, or leave out --listen");
}

type Load = () => Promise<{ readonly openUiServer: Serve; readonly addUiUser: AddUser }>;

const beside: Load = () => import("@ojm/ui");

/** @throws CommandError if another user could have written the package of the working directory */
export const fromHere: Load = () => {
  const { resolve } = createRequire(join(process.cwd(), "package.json"));
  const file = resolve("@ojm/ui");
  const why = whyUntrustedModule("@ojm/ui", file, resolve.paths("@ojm/ui") ?? []);
  if (why === undefined) return import(pathToFileURL(file).href);
  throw new CommandError(`ojm ui needs the package @ojm/ui beside ojm: ${why}`, EXIT.denied);
};

/** Loads the UI, beside this program or in the working directory: most users never need it. */
export async function loadUi(places: readonly Load[] = [beside, fromHere]): ReturnType<Load> {
  for (const load of places) {
    try {
      return await load();
    } catch (error) {
      const unbuilt = notBuilt(error);
      if (unbuilt !== undefined) throw new CommandError(unbuilt);
      if (!isMissing(error)) throw error;
    }
  }
  throw new CommandError("ojm ui needs the package @ojm/ui, which is not installed: npm install @ojm/ui");
}

/** Whether the package itself is missing, not one that it depends on. */
function isMissing(error: unknown): boolean {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  return (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && message.includes("@ojm/ui");
}

async function signalled(): Promise<void> {
  const over = new AbortController();
  await Promise.race(SIGNALS.map((signal) => once(process, signal, { signal: over.signal })));
  over.abort();
}
