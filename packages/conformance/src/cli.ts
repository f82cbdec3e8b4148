#!/usr/bin/env node
import { main } from "./command/main.js";

// Not process.exit(): what a backend leaves running shows, and is a fault of its own.
process.exitCode = await main(process.argv.slice(2));
