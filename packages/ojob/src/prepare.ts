import type { Args, JobFile } from "./load/job-file.js";
import { loadJobFile } from "./load/load.js";
import { asTexts } from "./plan/args.js";
import { checkDirector } from "./plan/director.js";
import { type Environment, PROCESS_ENVIRONMENT, surroundingsOf } from "./plan/environment.js";
import { checkRequired, expectArguments, warnOfMisspelt } from "./plan/file-checks.js";
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

interface PrepareOptions {
  readonly args: Args;
  /**
   * `run`: the file runs as a whole. `inner`: a job of another file runs it, and gives it arguments that have
   * types already. `check`: it may run on another machine, and may be a library: jobs without a todo.
   * `store`: only its store is read.
   */
  readonly purpose: "run" | "inner" | "check" | "store";
  readonly strict?: boolean | undefined;
  /** Packages, or absolute paths of files, to load after those that the file names under `loads`. */
  readonly loads?: readonly string[] | undefined;
  readonly jobs?: readonly string[] | undefined;
  /** Checks, by this function, that the types of its channels can be opened. */
  readonly channelTypes?: PrepareType;
  /** The environment that runs the file. Default: that of the process. */
  readonly environment?: Environment;
  /** A further check, after all others. */
  readonly further?: (file: JobFile, plan: Plan, problems: Problems) => Promise<void>;
}

/** How far secrets are looked up. */
const VALUES = { run: "needed", inner: "needed", check: "named", store: "found" } as const;

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
  const { purpose, strict, channelTypes, environment = PROCESS_ENVIRONMENT } = options;
  const isWhole = purpose === "run" || purpose === "check";
  const loaded = loadJobFile(name, { strict, withoutTodo: options.jobs !== undefined || purpose === "check" });
  const { problems } = loaded;
  const chosen = options.jobs === undefined ? loaded.file : chooseJobs(loaded.file, options.jobs, problems);
  const file = withLoads(chosen, options.loads ?? []);
  const around = surroundingsOf(file, environment, { problems, values: VALUES[purpose] });
  const masker = new Masker();
  masker.add(around.secrets.values);
  const mask = (text: string): string => masker.mask(text);
  problems.hide = mask;
  // Scripts of OpenAF expect texts: otherwise args.x == "true" would never be true.
  const texts = purpose !== "inner" && file.settings.loads?.some(({ text }) => text === OPENAF) === true;
  const given = texts ? asTexts(options.args) : options.args;
  const args = commonArgs(file, given, around.environment, texts);
  const jobs = plan(file, args, problems, around);
  const notify = await planNotify(file, jobs, { args, around }, problems);
  const planned: Plan = { ...jobs, ...(notify && { notify }) };
  if (isWhole) {
    await checkSchedules(file, problems);
    await checkScheduleWords(file, planned, args, problems);
  }
  if (channelTypes !== undefined) {
    const sources = { common: args, typed: given };
    await checkChannels(file, planned, sources, problems, channelTypes);
  }
  if (purpose !== "store") checkLockNames(file, planned, args, problems);
  if (isWhole) checkInitOrder(file, planned, problems);
  if (isWhole && problems.isWhole) {
    warnOfMisspelt(file, planned, problems);
    checkDirector(file, planned, args, problems);
  }
  if (purpose === "run") {
    expectArguments(file, args, problems);
    checkRequired(file, planned, args, problems);
  }
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
