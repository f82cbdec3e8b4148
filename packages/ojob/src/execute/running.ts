import type { Clock } from "@ojm/core";

/** Something that runs and can be stopped. */
export interface Stoppable {
  /** Asks it to stop. */
  stop(reason: string): void;
  /** Ends it, whatever it is doing. */
  kill(reason: string): void;
}

/** What runs now, and whether anything more may be started. */
export class Running {
  readonly #grace: number;
  readonly #clock: Clock;
  readonly #running = new Set<Stoppable>();
  #refusal: string | undefined;
  #killed = false;
  #hurried = false;
  #cancelKill: () => void = () => {};

  /** `grace` is how long what runs has to stop by itself, in ms. */
  constructor(grace: number, clock: Clock) {
    this.#clock = clock;
    this.#grace = grace;
  }

  /** Why nothing may be started. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether the time to stop in good order is over. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Whether somebody asked twice: there is no time for anything. */
  get hurried(): boolean {
    return this.#hurried;
  }

  add(one: Stoppable): void {
    this.#running.add(one);
  }

  delete(one: Stoppable): void {
    this.#running.delete(one);
  }

  /** Asks what runs to stop, and ends it after the grace period; asked again, at once. */
  stop(reason: string): void {
    if (this.#refusal !== undefined) {
      this.#hurried = true;
      this.kill(reason);
      return;
    }
    this.#refusal = reason;
    this.#armKill(reason);
    for (const one of this.#running) one.stop(reason);
  }

  /** Ends what runs, whatever it is doing. */
  kill(reason: string): void {
    this.#refusal ??= reason;
    this.#killed = true;
    for (const one of this.#running) one.kill(reason);
  }

  /** Lets something be started once more: after a stop, that has the grace period too. */
  reopen(): void {
    const reason = this.#refusal;
    this.#cancelKill();
    this.#refusal = undefined;
    this.#killed = false;
    if (reason !== undefined) this.#armKill(reason);
  }

  /** Nothing runs any more. */
  close(): void {
    this.#cancelKill();
  }

  #armKill(reason: string): void {
    this.#cancelKill = this.#clock.after(this.#grace, () => this.kill(reason));
  }
}
