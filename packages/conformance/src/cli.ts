#!/usr/bin/env node
import { main } from "./command/main.js";

// If the reader closes the pipe (`| head`), exit: the unhandled error would crash the process with a stack
// trace.
process.stdout.on("error", () => process.exit(2));

// No process.exit() here: resources that a backend leaves open must keep the process alive, so that its
// author notices.
process.exitCode = await main(process.argv.slice(2));
