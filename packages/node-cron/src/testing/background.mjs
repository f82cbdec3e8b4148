/** A background task whose process dies. */
export function task() {
  process.kill(process.pid, "SIGKILL");
}
