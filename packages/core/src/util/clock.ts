/**
 * Time and chance. Core reads clocks, waits and draws random texts through this interface only, so that all
 * of it runs in a simulation.
 */
export interface Clock {
  /** Wall-clock time in ms since 1970. For people to read: no decision about a lock depends on it. */
  now(): number;
  /** Monotonic time in ms. The processes of a host share that of the system, which starts at its boot. */
  monotonic(): number;
  /**
   * Calls `callback` once, about `ms` from now. Call the result to cancel. With `keepAlive` the pending timer
   * keeps the process alive: pass it where a caller awaits the callback.
   */
  after(ms: number, callback: () => void, keepAlive?: boolean): () => void;
  /**
   * The shortest rest between two rounds of background work, such as heartbeats, in ms. A test's clock sets
   * it where no other process checks the heartbeats: a simulated day has tens of thousands.
   */
  readonly rest?: number;
  /** A string of `length` random characters out of `[0-9a-z]`. */
  random(length: number): string;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** The longest delay of `setTimeout`, in ms. Anything longer fires at once, such as a lease of a month. */
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

/**
 * How often two clocks are read to catch them at one moment, and how far apart, in ms, two reads of one
 * moment may be.
 */
const ATTEMPTS = 1_000;
const ONE_MOMENT = 0.01;

/**
 * The time of the `host` clock at which `now()` was 0. Both are the same clock, with different origins. A
 * process that is suspended between the two reads would lag behind the others for its whole life, and others
 * would see its sessions end before it does.
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
 * The monotonic clock of the host. Processes share deadlines, so they need a common origin:
 * `performance.now()` counts from the start of the process. Both read the same system clock; this one
 * allocates nothing.
 */
const START = startOf(
  () => Number(process.hrtime.bigint() / 1000n) / 1000,
  () => performance.now(),
);

/** The rest before the next round of background work, in ms. */
export function restBy({ rest = 0 }: Clock, ms: number): number {
  return Math.max(ms, rest);
}

/** Random bytes in stock: each call of the source costs more than a hundred bytes of it. */
const RANDOM = new Uint8Array(1_024);
let nextByte = RANDOM.length;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() + START,
  after,
  random(length) {
    let text = "";
    for (let i = 0; i < length; i++) {
      if (nextByte === RANDOM.length) {
        crypto.getRandomValues(RANDOM);
        nextByte = 0;
      }
      text += ALPHABET[(RANDOM[nextByte++] as number) % 36];
    }
    return text;
  },
};
