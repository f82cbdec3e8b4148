#!/usr/bin/env node
import { execute } from "./execute.js";
import { lastResort } from "./last-resort.js";

// Also called when execute rejects, and for errors outside any awaited call.
process.on("uncaughtException", lastResort);
process.exitCode = await execute(process.argv.slice(2));
