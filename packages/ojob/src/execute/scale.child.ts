import { Log, runJobFile } from "../index.js";

/** Runs the job file given, and prints, on its own line at the end, how much it took: the peak of memory in MB, ms of processor. */
const log = new Log();
const well = await runJobFile(process.argv[2] ?? "", { log });
await log.flush();
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ well, megabytes: maxRSS / 1024, ms: (userCPUTime + systemCPUTime) / 1000 }));
