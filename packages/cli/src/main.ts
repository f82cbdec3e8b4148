#!/usr/bin/env node
import { execute } from "./execute.js";
import { lastResort } from "./last-resort.js";

// Here comes what execute rejects with too, and what is thrown where nobody waits for it.
process.on("uncaughtException", lastResort);
process.exitCode = await execute(process.argv.slice(2));
