#!/usr/bin/env node
import { main } from "./command/main.js";

// Whoever read along has gone (`| head`): there is nobody to tell any more.
process.stdout.on("error", () => process.exit(2));

// Otherwise no process.exit(): what a backend leaves running shows, and is a fault of its own.
process.exitCode = await main(process.argv.slice(2));
