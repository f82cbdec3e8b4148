import type { Clock } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { Args, Settings } from "../load/job-file.js";
import { DailyFiles, FileNames } from "../output/daily-files.js";
import type { Log, LogSettings } from "../output/log.js";
import { type PrepareType, preparing } from "../plan/manager/channels.js";
import { prepareJobFile, RUN_CHECKS } from "../prepare.js";
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
  /**
   * Asks all jobs to stop, and ends those that do not within the grace period. A second call ends them at
   * once.
   */
  stop(reason: string): void;
  /** The exit code that a script requested by `exit`. */
  readonly exitCode: number | undefined;
  /** Whether the store of the file answers a small read, within two seconds. True before it is opened. */
  storeAnswers(): Promise<boolean>;
}

export interface FileRun {
  readonly log: Log;
  readonly args: Args;
  readonly strict: boolean;
  readonly jobs: readonly string[] | undefined;
  readonly packages: readonly string[];
  readonly pool: ThreadPool;
  /** The first thread. It reports whether the files of `loads` are sound. */
  readonly thread: ScriptThread;
  readonly prepare: PrepareType | undefined;
  readonly grace: number;
  readonly clock: Clock | undefined;
  readonly onStart: ((control: RunControl) => void) | undefined;
}

/** Prepares and runs a job file. A JobFileError means that nothing was started. */
export async function runFile(name: string, run: FileRun): Promise<boolean> {
  const { log, pool, thread } = run;
  const prepare = preparing(run.prepare);
  const { args: given, strict, jobs, packages: loads } = run;
  const options = { args: given, strict, jobs, loads, channelTypes: prepare, ...RUN_CHECKS };
  const { file, plan, args, warnings } = await prepareJobFile(name, options);
  log.hide(plan.secrets.values);
  for (const warning of warnings) log.note(describe(warning));
  log.use(logSettings(file.settings, (text) => log.note(`warning: ${text}`)));
  pool.prepare(plan.setup);
  const failure = await thread.loaded;
  if (failure !== undefined) throw new JobFileError([{ severity: "error", message: failureText(failure) }]);
  const { clock } = run;
  if (clock !== undefined) log.now = () => clock.now();
  const runtime = new Runtime(prepare, run.clock ?? systemClock);
  runtime.managers.expect(plan);
  if (plan.notify !== undefined) {
    runtime.managers.notifier = new Notifier(plan.notify, runtime.clock, (text) => void log.line("WARN", text));
  }
  const engine = new FileEngine({
    plan,
    commandLine: args,
    typed: run.args,
    log,
    pool,
    runtime,
    grace: run.grace,
    files: [file.source.path],
  });
  runtime.stop = (reason) => engine.stop(reason);
  run.onStart?.(engine);
  let letGo = (): void => {};
  try {
    const { unique } = file.settings;
    if (unique) {
      letGo = await claimPidFile({ ...unique, pidFile: saidPath(unique.pidFile.text, unique.pidFile.at) }, run.grace);
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
      // Release the pid file last. Otherwise another process of this job file could use the stores and log
      // files at the same time.
      letGo();
    }
  }
}

const MINUTE = 60_000;

function logSettings(settings: Settings, warn: (text: string) => void): LogSettings {
  const { logToConsole, logJobs, logArgs, log, logToFile } = settings;
  return {
    ...(logToConsole !== undefined && { console: logToConsole }),
    ...(logJobs !== undefined && { jobs: logJobs }),
    ...(logArgs !== undefined && { args: logArgs }),
    json: log?.format === "json",
    ...(logToFile && { files: files(logToFile, warn), filesOnly: logToFile.setLogOff ?? false }),
  };
}

function files(wanted: NonNullable<Settings["logToFile"]>, warn: (text: string) => void): DailyFiles {
  const { logFolder, filenameTemplate, backupFilenameTemplate, numberOfFiles, HKhowLongAgoInMinutes } = wanted;
  const compress = wanted.dontCompress !== true;
  return new DailyFiles({
    folder: saidPath(logFolder.text, logFolder.at),
    names: new FileNames(filenameTemplate, backupFilenameTemplate, compress),
    most: numberOfFiles,
    keep: HKhowLongAgoInMinutes === undefined ? undefined : HKhowLongAgoInMinutes * MINUTE,
    compress,
    warn,
  });
}
