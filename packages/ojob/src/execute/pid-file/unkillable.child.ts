import { readFileSync } from "node:fs";
import { processIdentity } from "@ojm/core/internal";
import { endProcess } from "./claim-pid-file.js";

/** Tries to end the first process of its pid namespace, and prints the result. */
const stat = readFileSync("/proc/1/stat", "utf8");
const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
try {
  await endProcess({ ...processIdentity(), pid: 1, started }, 10, 50);
  console.log("ended");
} catch (error) {
  console.log((error as Error).message);
}
