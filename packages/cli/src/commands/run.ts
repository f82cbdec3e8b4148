import { subscribe } from "node:diagnostics_channel";
import type { Events } from "@ojm/core";
import { dryRun, JobFileError, jobFileHelp, Log, type RunControl, type RunFileOptions, runJobFile } from "@ojm/ojob";
import { prepareType } from "../backends.js";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { EXIT } from "../errors.js";
import { explanationLine, print, printError, reportUnwritten } from "../output/print.js";
import { fileOperands, loadsOf } from "../store/job-file.js";
import { openMetricsServer } from "./metrics.js";

/** The signals that stop the runs, and the exit code for each. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Runs a job file. Resolves to the exit code. */
export async function execute(given: Given): Promise<number> {
  const { file, args } = fileOperands(given);
  const { values, flags } = given;
  const [helpOf] = values["jobhelp"] ?? [];
  if (helpOf !== undefined || flags.has("help")) return show(() => jobFileHelp(file, helpOf));
  const loads = await loadsOf(given);
  const jobs = values["job"];
  const strict = flags.has("strict");
  if (flags.has("dry-run")) return show(() => dryRun(file, { args, strict, jobs, loads, prepare: prepareType }));
  const [metrics] = values["metrics"] ?? [];
  const state: { control?: RunControl; code?: number } = {};
  /** Stops all runs, and ends with this code. */
  const end = (code: number, reason: string): void => {
    state.code ??= code;
    // Before the first job there is nothing to stop.
    if (state.control === undefined) process.exit(state.code);
    state.control.stop(reason);
  };
  for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => end(code, signal));
  if (metrics !== undefined)
    await openMetricsServer(metrics, async () => (await state.control?.storeAnswers()) ?? true);
  const log = new Log();
  const prefix = lastValue(given, "log-prefix") ?? "none";
  if (prefix !== "none") log.prefixLines({ time: prefix !== "job", job: prefix !== "time" });
  // Ends the live line of a job first: the error would be printed after it, on the same line.
  process.prependListener("uncaughtException", () => log.leaveTerminal());
  subscribe("ojm:store:gone", (event) => {
    const { error } = event as Events["ojm:store:gone"];
    if (state.code === undefined) printError(`ojm: ${error.message}${explanationLine(error)}`);
    end(EXIT.away, "the store is gone");
  });
  const onStart = (control: RunControl): void => {
    state.control = control;
  };
  const code = await runToCode(file, { log, args, loads, strict, jobs, prepare: prepareType, onStart });
  // Exits explicitly: a script or a driver may have left something open. Everything of ojm is closed and
  // written.
  process.exit(state.code ?? state.control?.exitCode ?? code);
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
