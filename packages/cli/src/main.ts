#!/usr/bin/env node
import * as module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { lastResort } from "./last-resort.js";

// Also called when execute rejects, and for errors outside any awaited call.
process.on("uncaughtException", lastResort);

// Since Node 22.8, compiled code is cached between starts. Not in the default folder below /tmp: another user
// could prepare code there for this one. A folder that cannot be written costs nothing: there is no cache
// then.
const { enableCompileCache } = module as { readonly enableCompileCache?: (folder: string) => unknown };
try {
  enableCompileCache?.(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ojm"));
} catch {
  // A user without a home folder, as in a container.
}

const { execute } = await import("./execute.js");
process.exitCode = await execute(process.argv.slice(2));
