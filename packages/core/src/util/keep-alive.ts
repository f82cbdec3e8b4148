/** The interval of a timer whose only purpose is to be pending, in ms. */
const FOREVER = 2_147_483_647;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive until the result is called, for somebody who awaits an event. A store inside this
 * process has no socket that would keep it alive.
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
