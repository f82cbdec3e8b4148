import type { Args, JobFile } from "./load/job-file.js";
import { loadJobFile } from "./load/load.js";
import { asTexts } from "./plan/args.js";
import { type Environment, type Look, PROCESS_ENVIRONMENT, surroundingsOf } from "./plan/environment.js";
import { checkRequired, expectArguments } from "./plan/file-checks.js";
import { checkChannels, type PrepareType } from "./plan/manager/channels.js";
import { checkInitOrder } from "./plan/manager/openers.js";
import { checkLockNames } from "./plan/manager/starts.js";
import { planNotify } from "./plan/notify.js";
import { chooseJobs, plan } from "./plan/plan.js";
import type { Plan } from "./plan/planned.js";
import { checkSchedules, checkScheduleWords } from "./plan/schedules.js";
import { commonArgs, OPENAF } from "./plan/setup.js";
import { Masker } from "./text/masker.js";
import type { Problem, Problems } from "./text/problem.js";

/** How a job file is prepared. Each caller chooses further checks. */
interface PrepareOptions {
  readonly args: Args;
  /** The arguments come from a job of another file, so they have types already. */
  readonly typed?: boolean;
  readonly strict?: boolean | undefined;
  /** Packages, or absolute paths of files, to load after those that the file names under `loads`. */
  readonly loads?: readonly string[] | undefined;
  readonly jobs?: readonly string[] | undefined;
  /** The file may be a library: jobs without a todo. */
  readonly library?: boolean;
  /** Checks cron expressions and time zones. */
  readonly schedules?: boolean;
  /** Checks, by this function, that the types of its channels can be opened. */
  readonly channelTypes?: PrepareType | undefined;
  /** Checks that the command line has all mandatory arguments. */
  readonly mandatoryArgs?: boolean;
  /** Checks that no template stays in the name of a lock. */
  readonly lockNames?: boolean;
  /** Checks that the store of the locks is open before a job takes one. */
  readonly initOrder?: boolean;
  /** How far secrets are looked up. Default: only their names. */
  readonly values?: Look["values"];
  /** The environment that runs the file. Default: that of the process. */
  readonly environment?: Environment;
  /** A further check, after all others. */
  readonly further?: (file: JobFile, plan: Plan, problems: Problems) => Promise<void>;
}

/** The checks of a file that runs as a whole. */
export const RUN_CHECKS = {
  schedules: true,
  mandatoryArgs: true,
  lockNames: true,
  initOrder: true,
  values: "needed",
} as const;

export interface Prepared {
  readonly file: JobFile;
  readonly plan: Plan;
  /** The arguments that all its jobs have. */
  readonly args: Args;
  readonly warnings: readonly Problem[];
  readonly mask: (text: string) => string;
}

/**
 * Loads, plans and checks a job file. Runs nothing of it.
 *
 * @throws JobFileError with every problem at once if the file cannot be run
 */
export async function prepareJobFile(name: string, options: PrepareOptions): Promise<Prepared> {
  const { strict, schedules = false, channelTypes, mandatoryArgs = false, lockNames = false } = options;
  const { values = "named", environment = PROCESS_ENVIRONMENT } = options;
  const loaded = loadJobFile(name, { strict, withoutTodo: options.jobs !== undefined || options.library === true });
  const { problems } = loaded;
  const chosen = options.jobs === undefined ? loaded.file : chooseJobs(loaded.file, options.jobs, problems);
  const file = withLoads(chosen, options.loads ?? []);
  const around = surroundingsOf(file, environment, { problems, values });
  const masker = new Masker();
  masker.add(around.secrets.values);
  const mask = (text: string): string => masker.mask(text);
  problems.hide = mask;
  // Scripts of OpenAF expect texts: otherwise args.x == "true" would never be true.
  const texts = !options.typed && file.settings.loads?.some(({ text }) => text === OPENAF) === true;
  const given = texts ? asTexts(options.args) : options.args;
  const args = commonArgs(file, given, around.environment, texts);
  const jobs = plan(file, args, problems, around);
  const notify = await planNotify(file, jobs, { args, around }, problems);
  const planned: Plan = { ...jobs, ...(notify && { notify }) };
  if (schedules) {
    await checkSchedules(file, problems);
    await checkScheduleWords(file, planned, args, problems);
  }
  if (channelTypes !== undefined) {
    const sources = { common: args, typed: given };
    await checkChannels(file, planned, sources, problems, channelTypes);
  }
  if (lockNames) checkLockNames(file, planned, args, problems);
  if (options.initOrder === true) checkInitOrder(file, planned, problems);
  if (mandatoryArgs) expectArguments(file, args, problems);
  if (mandatoryArgs) checkRequired(file, planned, args, problems);
  await options.further?.(file, planned, problems);
  problems.throwErrors();
  return { file, plan: planned, args, warnings: problems.warnings, mask };
}

function withLoads(file: JobFile, more: readonly string[]): JobFile {
  const { settings, source } = file;
  const { loads = [] } = settings;
  const added = more.filter((name) => loads.every(({ text }) => text !== name));
  if (added.length === 0) return file;
  const at = { source, line: 1, column: 1 };
  return { ...file, settings: { ...settings, loads: [...loads, ...added.map((text) => ({ text, at }))] } };
}
