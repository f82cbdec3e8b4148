/** Longer than any process waits; the timer is only there to be pending. */
const FOREVER = 2_147_483_647;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive until the result is called: for somebody who awaits what only another process can bring about. A store that
 * lives in this process has nothing else that would.
 */
export function keepAlive(): () => void {
  holders++;
  timer ??= setInterval(() => {}, FOREVER);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (--holders > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
