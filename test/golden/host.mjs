import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

/*
 * Loaded first by `npm run golden`, in each thread. The golden stores are published: they have neither the
 * name of this machine nor its paths. They are of another boot, so that they are read here as anywhere else.
 */

const BOOT = "7a561613-2139-4fc3-adc8-000000000000";
const read = fs.readFileSync;

os.hostname = () => "host-a";
fs.readFileSync = (path, ...more) => (path === "/proc/sys/kernel/random/boot_id" ? BOOT : read(path, ...more));
syncBuiltinESMExports();
Error.stackTraceLimit = 0;
