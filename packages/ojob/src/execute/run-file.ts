import type { Clock, Duration } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { Args, Settings } from "../load/job-file.js";
import { DailyFiles, FileNames } from "../output/daily-files.js";
import type { Log, LogSettings } from "../output/log.js";
import { type PrepareType, preparing } from "../plan/manager/channels.js";
import { prepareJobFile } from "../prepare.js";
import { failureText } from "../script/failure.js";
import type { ScriptThread, ThreadPool } from "../script/thread.js";
import { saidPath } from "../text/files.js";
import { describe, JobFileError } from "../text/problem.js";
import { FileEngine } from "./file-engine.js";
import { claimPidFile } from "./pid-file/claim-pid-file.js";
import { JobError } from "./runtime/job-error.js";
import { Notifier } from "./runtime/notifier.js";
import { Runtime } from "./runtime/runtime.js";

/** Stops a running job file from outside. */
export interface RunControl {
  /** Asks all jobs to stop, and ends those left after the grace period, or at a second call. */
  stop(reason: string): void;
  /** The exit code that a script requested by `exit`. */
  readonly exitCode: number | undefined;
  /** Whether the store of the file answers a small read, within two seconds. True before it is opened. */
  storeAnswers(): Promise<boolean>;
}

/** The options of {@link runJobFile}. */
export interface RunFileOptions {
  readonly log: Log;
  /** Arguments of the command line. */
  readonly args?: Args;
  /** Treat warnings about the file as errors. */
  readonly strict?: boolean;
  /**
   * Run only these jobs, once each, and before them those that they depend on, instead of the todo. The job
   * manager is opened as the todo says. A schedule is not begun, and the pid file is not taken: the daemon of
   * the file may run meanwhile.
   */
  readonly jobs?: readonly string[] | undefined;
  /**
   * JavaScript files, by their absolute paths, or packages, by their names, whose functions scripts may call
   * beside those that the file names under `loads`.
   */
  readonly loads?: readonly string[];
  /**
   * Registers a channel type before it is opened. The type `simple` is always registered. Without this, core
   * finds the packages that the program can import.
   */
  readonly prepare?: PrepareType;
  /** The heap limit of one script, in MB. Default: half of the machine's memory, at most 2,048. */
  readonly scriptMemory?: number;
  /** How long jobs have to stop by themselves after a request to stop. Default: 10 s. */
  readonly grace?: Duration;
  /** The clock and random source, for simulations. Scripts see it in `now()` and `nowUTC()`, not `Date`. */
  readonly clock?: Clock;
  /** Receives, before the first job starts, the control that stops the run. */
  readonly onStart?: (control: RunControl) => void;
}

interface FileRun extends Omit<RunFileOptions, "loads" | "scriptMemory" | "grace"> {
  readonly packages: readonly string[];
  readonly pool: ThreadPool;
  /** The first thread. It reports whether the files of `loads` are sound. */
  readonly thread: ScriptThread;
  readonly grace: number;
}

/** Prepares and runs a job file. A JobFileError means that nothing was started. */
export async function runFile(name: string, run: FileRun): Promise<boolean> {
  const { log, pool, thread, args: typed = {}, strict, jobs, packages: loads, clock = systemClock } = run;
  const { grace } = run;
  const prepare = preparing(run.prepare);
  const options = { args: typed, strict, jobs, loads, channelTypes: prepare, purpose: "run" } as const;
  const { file, plan, args, warnings } = await prepareJobFile(name, options);
  log.hide(plan.secrets.values);
  for (const warning of warnings) log.note(describe(warning));
  log.use(logSettings(file.settings, (text) => log.note(`warning: ${text}`)));
  pool.prepare(plan.setup);
  const failure = await thread.loaded;
  if (failure !== undefined) throw new JobFileError([{ severity: "error", message: failureText(failure) }]);
  if (run.clock !== undefined) log.now = () => clock.now();
  const runtime = new Runtime(prepare, clock);
  runtime.managers.expect(plan);
  if (plan.notify !== undefined) {
    runtime.managers.notifier = new Notifier(plan.notify, clock, (text) => void log.line("WARN", text));
  }
  const files = [file.source.path];
  const engine = new FileEngine({ plan, commandLine: args, typed, log, pool, runtime, grace, files });
  runtime.stop = (reason) => engine.stop(reason);
  run.onStart?.(engine);
  let letGo = (): void => {};
  try {
    const { unique } = file.settings;
    if (unique) {
      letGo = await claimPidFile({ ...unique, pidFile: saidPath(unique.pidFile.text, unique.pidFile.at) }, grace);
    }
    const well = await engine.run();
    return runtime.exitCode === undefined ? well : runtime.exitCode === 0;
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    log.line("ERROR", error.message);
    return false;
  } finally {
    // The threads end while the stores write their last data.
    const threads = pool.close();
    try {
      await runtime.close().finally(() => log.close());
      await threads;
    } finally {
      // Last: until now another process of this job file must not use its stores and log files.
      letGo();
    }
  }
}

const MINUTE = 60_000;

function logSettings(settings: Settings, warn: (text: string) => void): LogSettings {
  const { logToConsole: console, logJobs: jobs, logArgs: args, log, logToFile } = settings;
  const filed = logToFile && { files: files(logToFile, warn), filesOnly: logToFile.setLogOff ?? false };
  return { console, jobs, args, json: log?.format === "json", ...filed };
}

function files(wanted: NonNullable<Settings["logToFile"]>, warn: (text: string) => void): DailyFiles {
  const { logFolder, filenameTemplate, backupFilenameTemplate, numberOfFiles, HKhowLongAgoInMinutes } = wanted;
  const compress = wanted.dontCompress !== true;
  const folder = saidPath(logFolder.text, logFolder.at);
  const names = new FileNames(filenameTemplate, backupFilenameTemplate, compress);
  const keep = HKhowLongAgoInMinutes === undefined ? undefined : HKhowLongAgoInMinutes * MINUTE;
  return new DailyFiles({ folder, names, most: numberOfFiles, keep, compress, warn });
}
