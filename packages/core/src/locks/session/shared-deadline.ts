/** The layout of the shared memory: times in µs of the host's monotonic clock, 0 for none; then flags. */
const DEADLINE = 0;
const TIMEOUT = 1;
const NEXT_LOOK = 2;
const TIMES = 3;
const LOST = 0;
const CONNECTED = 1;
const FLAGS = 2;

/** The largest 64-bit time: about 292,000 years. */
const NEVER = 9_223_372_036_854_775_807n;

/**
 * The state that the main thread and the heartbeat thread share without messages, as a busy thread reads no
 * messages: the deadline of the session, and when the heartbeat thread is needed next.
 */
export class SharedDeadline {
  readonly memory: SharedArrayBuffer;
  readonly #times: BigInt64Array;
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(TIMES * 8 + FLAGS * 4)) {
    this.memory = memory;
    this.#times = new BigInt64Array(memory, 0, TIMES);
    this.#flags = new Int32Array(memory, TIMES * 8, FLAGS);
  }

  /** The deadline of the session, by the renewals of both threads. */
  get deadline(): number {
    return this.#time(DEADLINE);
  }

  /**
   * Moves the deadline after a renewal. A session whose deadline passed stays over: others may have taken it
   * for dead.
   */
  renewed(deadline: number, now: number): void {
    const next = micros(deadline);
    for (;;) {
      const current = Atomics.load(this.#times, DEADLINE);
      if (next <= current || (current !== 0n && current <= micros(now))) return;
      if (Atomics.compareExchange(this.#times, DEADLINE, current, next) === current) return;
    }
  }

  /** The earliest end of a lease's timeout. It may be too early, but never too late. */
  get timeout(): number {
    return this.#time(TIMEOUT);
  }

  set timeout(time: number) {
    Atomics.store(this.#times, TIMEOUT, micros(time));
  }

  /** When the heartbeat thread looks next, unless a message makes it look sooner. */
  get nextLook(): number {
    return this.#time(NEXT_LOOK);
  }

  set nextLook(time: number) {
    Atomics.store(this.#times, NEXT_LOOK, micros(time));
  }

  /** Whether the session's entry was found missing in the store. */
  get lost(): boolean {
    return Atomics.load(this.#flags, LOST) === 1;
  }

  lose(): void {
    Atomics.store(this.#flags, LOST, 1);
  }

  /** Whether the heartbeat thread has opened, or is about to open, a connection that must be closed. */
  get connected(): boolean {
    return Atomics.load(this.#flags, CONNECTED) === 1;
  }

  connect(): void {
    Atomics.store(this.#flags, CONNECTED, 1);
  }

  #time(index: number): number {
    const time = Atomics.load(this.#times, index);
    return time === NEVER ? Number.POSITIVE_INFINITY : Number(time) / 1_000;
  }
}

/** Rounds down, so that a deadline is never late. */
function micros(ms: number): bigint {
  return ms === Number.POSITIVE_INFINITY ? NEVER : BigInt(Math.floor(ms * 1_000));
}
