import { subscribe } from "node:diagnostics_channel";
import type { Events } from "@ojm/core";
import { dryRun, JobFileError, jobFileHelp, Log, type RunControl, type RunFileOptions, runJobFile } from "@ojm/ojob";
import { prepareType } from "../backends.js";
import { lastValue, readFile } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { EXIT } from "../errors.js";
import { print, printError, reportUnwritten } from "../output/print.js";
import { argsOf, loadsOf } from "../store/job-file.js";
import { openMetricsServer } from "./metrics.js";

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Runs a job file. Resolves to the exit code. */
export async function execute(given: Given): Promise<number> {
  const { file, pairs } = readFile(given);
  const { values, flags } = given;
  const [helpOf] = values["jobhelp"] ?? [];
  if (helpOf !== undefined || flags.has("help")) return show(() => jobFileHelp(file, helpOf));
  const loads = await loadsOf(given);
  const args = argsOf(pairs);
  const jobs = values["job"];
  const strict = flags.has("strict");
  if (flags.has("dry-run")) return show(() => dryRun(file, { args, strict, jobs, loads, prepare: prepareType }));
  const [metrics] = values["metrics"] ?? [];
  const signals = new Signals();
  if (metrics !== undefined) await openMetricsServer(metrics, () => signals.storeAnswers());
  const log = new Log();
  const prefix = prefixOf(given);
  if (prefix !== undefined) log.prefixLines(prefix);
  // Ends the live line of a job first: the error would be printed after it, on the same line.
  process.prependListener("uncaughtException", () => log.leaveTerminal());
  subscribe("ojm:store:gone", (event) => {
    if (signals.code === undefined) printError(`ojm: ${(event as Events["ojm:store:gone"]).error.message}`);
    signals.end(EXIT.away, "the store is gone");
  });
  const onStart = (control: RunControl): void => signals.control(control);
  const code = await runToCode(file, { log, args, loads, strict, jobs, prepare: prepareType, onStart });
  // Exits explicitly: a script or a driver may have left something open. Everything of ojm is closed and
  // written.
  process.exit(signals.code ?? signals.asked ?? code);
}

const PREFIXES: Readonly<Record<string, { readonly time: boolean; readonly job: boolean } | undefined>> = {
  none: undefined,
  job: { time: false, job: true },
  time: { time: true, job: false },
  both: { time: true, job: true },
};

/** The prefix of each line of a job. */
function prefixOf(given: Given): (typeof PREFIXES)[string] {
  return PREFIXES[lastValue(given, "log-prefix") ?? "none"];
}

async function runToCode(file: string, options: RunFileOptions): Promise<number> {
  const { log } = options;
  try {
    const well = await runJobFile(file, options);
    await log.flush();
    if (log.lost === undefined) return well ? 0 : 1;
    await new Promise<void>((resolve) => reportUnwritten(log.lost?.message ?? "", resolve));
    return 1;
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    log.note(error.message);
    return 2;
  } finally {
    await log.flush();
  }
}

async function show(text: () => Promise<string>): Promise<number> {
  try {
    print(await text());
    return 0;
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    printError(error.message);
    return 2;
  }
}

/** Turns the signals that end a process into an orderly stop. */
class Signals {
  /** The exit code for a signal, or for a store that is gone. */
  code: number | undefined;
  #control: RunControl | undefined;

  constructor() {
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.on(signal, () => this.end(code, signal));
    }
  }

  /** Stops all runs, and ends with this code. */
  end(code: number, reason: string): void {
    this.code ??= code;
    // Before the first job there is nothing to stop.
    if (this.#control === undefined) process.exit(this.code);
    this.#control.stop(reason);
  }

  /** Whether the store answers; true if it was not opened. */
  async storeAnswers(): Promise<boolean> {
    return (await this.#control?.storeAnswers()) ?? true;
  }

  /** The exit code that a script requested. */
  get asked(): number | undefined {
    return this.#control?.exitCode;
  }

  control(control: RunControl): void {
    this.#control = control;
  }
}
