#!/usr/bin/env node
import * as module from "node:module";
import { cacheFolder } from "./compile-cache.js";
import { lastResort } from "./last-resort.js";

// Also called when execute rejects, and for errors outside any awaited call.
process.on("uncaughtException", lastResort);

// Since Node 22.8, compiled code is cached between starts. A folder that cannot be written costs nothing:
// there is no cache then.
const { enableCompileCache } = module as { readonly enableCompileCache?: (folder: string) => unknown };
const cache = enableCompileCache && cacheFolder();
if (cache !== undefined) enableCompileCache?.(cache);

const { execute } = await import("./execute.js");
process.exitCode = await execute(process.argv.slice(2));
