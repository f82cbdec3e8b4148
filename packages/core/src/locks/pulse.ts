/** What is in the shared memory: times in µs of the host's monotonic clock, 0 for none; then flags. */
const DEADLINE = 0;
const TIMEOUT = 1;
const NEXT_LOOK = 2;
const TIMES = 3;
const LOST = 0;
const CONNECTED = 1;
const FLAGS = 2;

/** In 64 bits; about 292,000 years. */
const NEVER = 9_223_372_036_854_775_807n;

/**
 * What the two threads that keep a session alive know of each other without a message, as one of them may not come to read any: until when the
 * session lives, and when the thread of the heartbeats is needed next.
 */
export class Pulse {
  readonly memory: SharedArrayBuffer;
  readonly #times: BigInt64Array;
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(TIMES * 8 + FLAGS * 4)) {
    this.memory = memory;
    this.#times = new BigInt64Array(memory, 0, TIMES);
    this.#flags = new Int32Array(memory, TIMES * 8, FLAGS);
  }

  /** Until when the session lives, by the renewals of both threads. */
  get deadline(): number {
    return this.#time(DEADLINE);
  }

  /** The session was renewed. One that was over by then stays over: it has been taken for dead. */
  renewed(deadline: number, now: number): void {
    const next = micros(deadline);
    for (;;) {
      const current = Atomics.load(this.#times, DEADLINE);
      if (next <= current || (current !== 0n && current <= micros(now))) return;
      if (Atomics.compareExchange(this.#times, DEADLINE, current, next) === current) return;
    }
  }

  /** When the first lease may run out of its time; never before. */
  get timeout(): number {
    return this.#time(TIMEOUT);
  }

  set timeout(time: number) {
    Atomics.store(this.#times, TIMEOUT, micros(time));
  }

  /** When the thread of the heartbeats looks next, unless it is told to look sooner. */
  get nextLook(): number {
    return this.#time(NEXT_LOOK);
  }

  set nextLook(time: number) {
    Atomics.store(this.#times, NEXT_LOOK, micros(time));
  }

  /** Whether the store was seen without the session. */
  get lost(): boolean {
    return Atomics.load(this.#flags, LOST) === 1;
  }

  lose(): void {
    Atomics.store(this.#flags, LOST, 1);
  }

  /** Whether the thread of the heartbeats has, or is about to have, a connection that wants to be closed. */
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

/** Rounded down: a deadline must not be later than it is. */
function micros(ms: number): bigint {
  return ms === Number.POSITIVE_INFINITY ? NEVER : BigInt(Math.floor(ms * 1_000));
}
