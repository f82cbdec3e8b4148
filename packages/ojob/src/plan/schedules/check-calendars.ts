import type { JobDefinition, JobFile } from "../../load/job-file.js";
import type { Problems } from "../../text/problem.js";

/** Finds wrong cron expressions and time zones, and periodic jobs without a schedule. */
export async function checkSchedules(file: JobFile, problems: Problems): Promise<void> {
  for (const job of file.jobs.values()) {
    const { name, at, type, typeArgs } = job;
    if (typeArgs.cron !== undefined || typeArgs.timeZone !== undefined) await checkCron(job, problems);
    else if (type === "periodic" && typeArgs.timeInterval === undefined) {
      problems.flaw(`"${name}" is periodic: it needs "cron" or "timeInterval" in its "typeArgs".`, at);
    }
  }
}

/**
 * Checks a cron expression. Its reader is loaded only for a file that has one, so that others start faster.
 */
async function checkCron({ at, typeArgs, typeArgsAt }: JobDefinition, problems: Problems): Promise<void> {
  const { cronSchedule, isScheduleError } = await import("@ojm/schedule");
  const tell = (cron: string, timeZone?: string): void => {
    try {
      cronSchedule(cron, timeZone);
    } catch (error) {
      if (!isScheduleError(error)) throw error;
      problems.flaw(error.message, typeArgsAt[error.setting ?? ""] ?? at);
    }
  };
  // Check each by itself, or a wrong expression would hide a wrong zone.
  if (typeArgs.cron !== undefined) tell(String(typeArgs.cron));
  if (typeArgs.timeZone !== undefined) tell("@daily", String(typeArgs.timeZone));
}
