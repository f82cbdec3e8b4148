import { isRunError, type JobManager, type Run } from "@ojm/core";
import { isScheduleError, openScheduler, type Scheduler } from "@ojm/schedule";
import { jobNames, lineOf, RETRIED, schedules } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";
import { CLEANING, isClosing } from "./closing.js";
import { sleep } from "./sleep.js";
import { HOUR, OwnTraffic } from "./traffic.js";

/**
 * How long a leaving process lets its runs continue, in ms. An attempt may be due later because the clock of
 * this process is behind: it is left to other processes.
 */
const LAST = 5_000;

/**
 * What a worker does in the mode `tick` beside its plain runs: it has schedulers, runs a job that is tried
 * again, and cancels, holds and pauses the jobs of all processes.
 */
export class Jobs extends OwnTraffic {
  readonly #schedulers: Scheduler[] = [];
  #cancels = 0;

  /** Starts nothing more, and lets the runs end by themselves. */
  async leave(): Promise<void> {
    await Promise.all(this.#schedulers.map((one) => one.stop()));
    await atMost(LAST, this.settled);
  }

  /** Closes the schedulers: their runs are asked to end. */
  async close(): Promise<void> {
    await Promise.all(this.#schedulers.map((one) => one.close()));
  }

  protected async work(managers: readonly JobManager[]): Promise<void> {
    for (const manager of managers) {
      const scheduler = openScheduler(manager);
      this.#schedulers.push(scheduler);
      for (const [name, definition] of Object.entries(schedules)) {
        try {
          await patiently(() => scheduler.add(name, definition, (run) => this.#body(run)));
        } catch (error) {
          // Asked to end before it had begun.
          if (this.stopped && isScheduleError(error) && error.code === "CLOSED") return;
          throw error;
        }
      }
    }
    const [manager] = managers as [JobManager];
    await Promise.all([this.#again(manager), this.#operate(manager)]);
  }

  async #again(manager: JobManager): Promise<void> {
    const retry = { attempts: 3, backoff: "fixed", onLost: true } as const;
    while (!this.stopped) {
      const body = (run: Run): Promise<void> => this.#body(run);
      const policy = { ...retry, delay: this.between(50, 300) };
      await this.quietly(() => manager.run(RETRIED, body, { timeout: HOUR, retry: policy }));
      await sleep(this.between(0, 20));
    }
  }

  async #operate(manager: JobManager): Promise<void> {
    const [scheduler] = this.#schedulers as [Scheduler];
    while (!this.stopped) {
      await sleep(this.between(50, 250));
      const chance = this.chance();
      const name = this.oneOf(jobNames);
      if (chance < 0.7) await this.quietly(() => this.#cancel(manager, name));
      else if (chance < 0.9) await this.quietly(() => this.#hold(manager, name));
      else await this.quietly(() => this.#pause(scheduler, this.oneOf(Object.keys(schedules))));
    }
  }

  async #cancel(manager: JobManager, name: string): Promise<void> {
    const reason = `cancel ${this.config.index}.${++this.#cancels}`;
    this.journal.write({ e: "cancelling", name, reason, pid: process.pid });
    const { run } = await manager.cancel(name, { reason, wait: this.between(0, 500) });
    if (run !== undefined) this.journal.write({ e: "cancelled", reason, run: run.id, status: run.status });
  }

  async #hold(manager: JobManager, name: string): Promise<void> {
    const began = performance.now();
    const life = this.between(200, 500);
    await manager.hold(name, { reason: "torture", until: Date.now() + life });
    const left = life - (performance.now() - began);
    if (left > 0) this.journal.write({ e: "held", name, life: left });
  }

  async #pause(scheduler: Scheduler, name: string): Promise<void> {
    const until = Date.now() + Math.round(this.between(500, 900));
    await scheduler.pause(name, { reason: "torture", until });
  }

  async #body(run: Run): Promise<void> {
    const { id, name, fence, signal } = run;
    const signalled = signal.aborted ? ({ signalled: true } as const) : {};
    this.journal.write({ e: "enter", id, name, fence, held: false, timeout: HOUR, run: id, ...signalled });
    signal.addEventListener("abort", () => this.#signalled(id, signal.reason), { once: true });
    await this.#workAndLog(run);
    if (isClosing(signal)) await sleep(this.between(...CLEANING));
    const handsOver = isClosing(signal) && this.chance() < 0.3;
    const fails = this.chance() < (name === RETRIED ? 0.4 : 0.2);
    const closing = isClosing(signal) && this.chance() < 0.5;
    this.journal.write({ e: "exit", id, ...((fails || closing) && { fails: true }) });
    // It releases the lock: the next run may begin before it resolves.
    if (handsOver) await run.handOver("torture");
    if (closing) throw signal.reason;
    if (fails) throw new BodyError("the body failed");
  }

  #signalled(id: string, reason: unknown): void {
    const code = isRunError(reason) ? reason.code : "error";
    this.journal.write({ e: "signal", id, code, why: String(reason) });
  }

  /** Works for a while. A few bodies take longer than a tick. Most stop when their signal fires. */
  async #workAndLog({ id, name, log, signal }: Run): Promise<void> {
    const isShort = this.chance() < (name === RETRIED ? 0.97 : 0.8);
    const end = performance.now() + (isShort ? this.between(5, 80) : this.between(500, 1_500));
    const obeys = this.chance() < 0.85;
    const most = this.chance() < 0.1 ? 500 : 5;
    let lines = 0;
    do {
      for (let i = 0; i < most; i++) log.info(lineOf(++lines));
      await sleep(this.between(5, 40));
    } while (performance.now() < end && !(obeys && signal.aborted));
    this.journal.write({ e: "logged", run: id, lines });
  }

  protected isExpected(error: unknown): boolean {
    if (isRunError(error) || isScheduleError(error)) return error.code !== "INVALID";
    return error instanceof BodyError;
  }
}

class BodyError extends Error {}

/** Waits for `work`, but at most this many ms. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
