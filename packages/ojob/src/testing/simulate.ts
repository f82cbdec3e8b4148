import { SkippingClock } from "../../../schedule/src/testing/skipping-clock.js";
import { FileEngine } from "../execute/file-engine.js";
import type { RunControl } from "../index.js";
import type { RunFileOptions } from "../run.js";
import { type Ran, runText } from "./run-file.js";

type Options = Omit<RunFileOptions, "log">;

/** A job file that runs in simulated time. */
export class Simulation {
  readonly clock: SkippingClock;
  readonly ran: Promise<Ran>;
  readonly #started: Promise<FileEngine>;
  #ended = false;

  /** Starts the job file at that time. */
  constructor(start: string, yaml: string, options: Options = {}, files: Record<string, string> = {}) {
    this.clock = new SkippingClock(start);
    let begun: (engine: FileEngine) => void = () => {};
    this.#started = new Promise((resolve) => {
      begun = resolve;
    });
    const onStart = (control: RunControl): void => {
      if (!(control instanceof FileEngine)) return;
      // Time stands still until the todo is submitted: before that, the file looks idle.
      const { dispatch } = control;
      const submit = dispatch.submit.bind(dispatch);
      dispatch.submit = (...jobs) => {
        begun(control);
        return submit(...jobs);
      };
    };
    this.ran = runText(yaml, { ...options, clock: this.clock, onStart }, files);
    const note = (): void => {
      this.#ended = true;
    };
    this.ran.then(note, note);
  }

  /** Advances the time to then, and skips idle periods. */
  async until(end: string): Promise<void> {
    const engine = await this.#started;
    // A request that waits for dependencies may wait for a tick.
    const idle = (): boolean => [...engine.dispatch.requests.open].every(({ giveUp }) => giveUp !== undefined);
    await this.clock.until(end, idle);
  }

  /** Stops the job file as a signal would. */
  async stop(): Promise<Ran> {
    (await this.#started).stop("SIGTERM");
    return this.end();
  }

  /** Waits for the end of the job file. */
  async end(): Promise<Ran> {
    const never = (): boolean => false;
    await this.clock.while(() => !this.#ended, never);
    return this.ran;
  }
}
