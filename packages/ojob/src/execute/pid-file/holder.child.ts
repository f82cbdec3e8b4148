import { claimPidFile } from "./claim-pid-file.js";

/** Claims the pid file and prints "held". Then it stays, or dies by SIGKILL. */
const [pidFile = "", then = "stay"] = process.argv.slice(2);
await claimPidFile({ pidFile }, 0);
process.stdout.write("held\n");
if (then === "die") process.kill(process.pid, "SIGKILL");
setInterval(() => {}, 1000);
