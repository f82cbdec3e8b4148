/**
 * Time and chance, injected, so that all of core runs in a simulation too.
 *
 * Everything in core that reads a clock, waits, or rolls dice goes through one of these.
 */
export interface Clock {
  /** Wall-clock time in ms since 1970. For people to read; never for deciding who holds a lock. */
  now(): number;
  /** Monotonic time in ms. The system clock's is one for all processes of the host, and restarts with the host. */
  monotonic(): number;
  /**
   * Calls `callback` once, about `ms` from now. The result cancels it. A pending timer keeps the process alive only with `keepAlive`:
   * where somebody awaits what it brings about.
   */
  after(ms: number, callback: () => void, keepAlive?: boolean): () => void;
  /** A string of `length` random characters out of `[0-9a-z]`. */
  random(length: number): string;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** `setTimeout` fires at once for anything longer: a lease of a month must not end in a millisecond. */
const LONGEST_TIMER = 2_147_483_647;

function after(ms: number, callback: () => void, keepAlive = false): () => void {
  const due = systemClock.monotonic() + ms;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = Math.max(0, due - systemClock.monotonic());
    timer = setTimeout(left > LONGEST_TIMER ? arm : callback, Math.min(left, LONGEST_TIMER));
    if (!keepAlive) timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}

/** So many attempts are made to read two clocks at one moment, and two that are no further apart than this, in ms, are one moment. */
const ATTEMPTS = 1_000;
const ONE_MOMENT = 0.01;

/**
 * When `now()` was 0, on the clock of `host`, which is the same one, counted from elsewhere. A process that stands still between the two looks
 * would be behind the others for as long as it lives, and its sessions would end for them before they end for itself.
 *
 * @internal
 */
export function startOf(host: () => number, now: () => number): number {
  let start = 0;
  let closest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ATTEMPTS && closest > ONE_MOMENT; i++) {
    const before = host();
    const here = now();
    const apart = host() - before;
    if (apart >= closest) continue;
    closest = apart;
    start = before - here;
  }
  return start;
}

/**
 * Deadlines are shared between processes, and `performance.now()` counts from the start of each. Both read the same clock of the system; this
 * one allocates nothing.
 */
const START = startOf(
  () => Number(process.hrtime.bigint() / 1000n) / 1000,
  () => performance.now(),
);

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() + START,
  after,
  random(length) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    let text = "";
    for (const byte of bytes) text += ALPHABET[byte % 36];
    return text;
  },
};
