import type { Settings } from "../load/job-file.js";
import { saidPath } from "../text/said-path.js";
import { DailyFiles } from "./daily-files.js";
import { FileNames } from "./file-names.js";
import type { LogSettings } from "./log.js";

const MINUTE = 60_000;

/** The log settings of a job file. `warn` receives what cannot be written to its files. */
export function logSettings(settings: Settings, warn: (text: string) => void): LogSettings {
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
