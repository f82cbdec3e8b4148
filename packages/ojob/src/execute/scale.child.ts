import { Log, runJobFile } from "../index.js";

/** Runs a job file, and prints its resource use as a last line: the peak of memory in MB, CPU time in ms. */
const log = new Log();
const well = await runJobFile(process.argv[2] ?? "", { log });
await log.flush();
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ well, megabytes: maxRSS / 1024, ms: (userCPUTime + systemCPUTime) / 1000 }));
