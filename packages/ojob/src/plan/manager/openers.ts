import type { Args, CodeBlock, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { isSequential, jobsNamedIn, type Plan, type PlannedJob, type Step, shortcutsIn } from "../planned.js";
import { JOB_INIT, JOB_START, LOCKS, STORES } from "./manager-args.js";

interface NamedStore {
  readonly job: string;
  readonly at: Position;
}

/** The jobs of a file that open its job manager, or may do so. */
export class Openers {
  /** The store that the file names; `undefined` if it keeps its locks in memory. */
  readonly store: NamedStore | undefined;
  /** Whether anything in the file may open the job manager. */
  readonly any: boolean;
  readonly #jobs: Plan["jobs"];
  /** The jobs with Init among their steps. */
  readonly #surely: ReadonlySet<string>;
  readonly #mayOpen = new Map<string, boolean>();

  constructor({ jobs, todo }: Plan) {
    this.#jobs = jobs;
    const names = [...jobs.keys()];
    this.#surely = new Set(names.filter((name) => name !== JOB_INIT && partsOf(name, jobs).has(JOB_INIT)));
    const calls = todo.filter(({ job }) => job === JOB_INIT || this.#surely.has(job));
    const called = calls.flatMap(({ job, args, argsAt, argsCode, at }) =>
      namesStore(argsCode) ? { job, at } : (namedIn(args, argsAt, at, job) ?? []),
    );
    const written = [...this.#surely].flatMap((name) => storeOf(jobs.get(name)) ?? []);
    this.store = [...written, ...called][0];
    this.any = calls.length > 0 || names.some((name) => name !== JOB_INIT && this.mayOpen(name));
  }

  /** Whether a job may open the job manager: by a step, by another job file, or by a script. */
  mayOpen(name: string): boolean {
    const known = this.#mayOpen.get(name);
    if (known !== undefined) return known;
    const result = [...partsOf(name, this.#jobs)].some((part) => {
      const job = this.#jobs.get(part);
      return part === JOB_INIT || job?.type === "jobs" || job?.steps.some((step) => this.#scriptMayOpen(step));
    });
    this.#mayOpen.set(name, result);
    return result;
  }

  /** The same for a step. */
  stepMayOpen(step: Step): boolean {
    return this.#scriptMayOpen(step) || jobsNamedIn([step]).some((name) => this.mayOpen(name));
  }

  #scriptMayOpen(step: Step): boolean {
    if ("job" in step) return false;
    const texts = "code" in step ? [step.code.code] : shortcutsIn([step]).map(({ values }) => JSON.stringify(values));
    return texts.some((text) => [JOB_INIT, ...this.#surely].some((name) => text.includes(name)));
  }
}

function partsOf(name: string, jobs: Plan["jobs"], parts = new Set<string>()): ReadonlySet<string> {
  if (parts.has(name)) return parts;
  parts.add(name);
  const { steps = [], each = [] } = jobs.get(name) ?? {};
  for (const job of jobsNamedIn([...steps, ...each])) partsOf(job, jobs, parts);
  return parts;
}

/** The store that a job with Init among its steps names: in its args, in those of a step, or by a script. */
function storeOf(job: PlannedJob | undefined): NamedStore | undefined {
  if (job === undefined) return undefined;
  if (namesStore(job.argsCode)) return { job: job.name, at: job.at };
  const own = namedIn(job.args, job.argsAt, job.at, job.name);
  if (own !== undefined) return own;
  for (const step of job.steps) {
    if ("code" in step && namesStore(step.code)) return { job: job.name, at: job.at };
    if (!("job" in step) || step.args === undefined) continue;
    const given = namedIn([step.args], step.argsAt ?? {}, step.at, job.name);
    if (given !== undefined) return given;
  }
  return undefined;
}

function namesStore(code: CodeBlock | undefined): boolean {
  return code !== undefined && STORES.some((name) => code.code.includes(name));
}

function namedIn(all: readonly Args[], argsAt: TodoEntry["argsAt"], at: Position, job: string): NamedStore | undefined {
  const name = STORES.find((channel) => all.some((args) => isLasting(args[channel])));
  return name === undefined ? undefined : { job, at: argsAt[name] ?? at };
}

/** Whether the type of a channel is not the one in memory, or is decided by a template. */
function isLasting(config: unknown): boolean {
  if (config === undefined || config === null) return false;
  return typeof config !== "object" || ((config as Args)["type"] ?? "simple") !== "simple";
}

/** Finds jobs that take a lock before its store is open, and managed jobs in a file without any Init. */
export function checkInitOrder(file: JobFile, plan: Plan, problems: Problems): void {
  // Unknown names and cycles have been reported already. For a library, the including file opens the store.
  if (!problems.isWhole || plan.todo.length === 0) return;
  const openers = new Openers(plan);
  const { store } = openers;
  if (store !== undefined) refuseUnopened(file, plan, store.job, openers, problems);
  else if (!openers.any) warnOfMemory(file, problems);
}

function warnOfMemory({ jobs }: JobFile, problems: Problems): void {
  for (const job of jobs.values()) {
    const starts = [...job.from, ...job.to].find((step) => "job" in step && step.job === JOB_START);
    if (starts === undefined || !("job" in starts)) continue;
    const init =
      "{ name: Init, to: oJobManager Init, args: { chJobs: …, chLocks: { type: sqlite, args: { file: ./data/jobs.db } } } }";
    const message =
      `"${job.name}" is managed, and the file has no oJobManager Init. Its locks are in memory: they exclude only jobs of this process. ` +
      `For all processes, add the job ${init}, and put it first into the todo.`;
    problems.warn(message, starts.at);
    return;
  }
}

/** `init`: the job that opens the store. */
function refuseUnopened(file: JobFile, plan: Plan, init: string, openers: Openers, problems: Problems): void {
  const sequential = isSequential(plan.settings);
  const anywhere = plan.todo.some(({ job }) => openers.mayOpen(job));
  const reported = new Set<string>();
  let before = false;
  for (const entry of plan.todo) {
    const job = plan.jobs.get(entry.job);
    if (job === undefined) continue;
    // The job runs at its own time, or perhaps never: the rest of the todo may come first.
    const isLate = entry.when !== undefined || ["periodic", "subscribe", "shutdown"].includes(job.type);
    const opened = isLate ? anywhere : before || waitsForOpener(job, plan, openers);
    const lock = opened ? undefined : firstLock(job, file, plan, openers);
    if (typeof lock === "object" && !reported.has(entry.job)) {
      problems.flaw(`"${entry.job}" takes a lock${whyUnopened(init, anywhere, sequential)}`, lock);
      reported.add(entry.job);
    }
    before ||= sequential && openers.mayOpen(entry.job);
  }
}

/** Whether a job waits for one that may open the store, or for a job that does so. */
function waitsForOpener(job: PlannedJob, plan: Plan, openers: Openers, seen = new Set<string>()): boolean {
  if (seen.has(job.name)) return false;
  seen.add(job.name);
  return job.deps.some(({ job: name }) => {
    const other = plan.jobs.get(name);
    return openers.mayOpen(name) || (other !== undefined && waitsForOpener(other, plan, openers, seen));
  });
}

function whyUnopened(init: string, anywhere: boolean, sequential: boolean): string {
  const unsafe = "other processes could run it at the same time";
  if (!anywhere) {
    return `, and "${init}", which opens the store of the locks, is not in the todo: ${unsafe}. Write todo: [${init}, …].`;
  }
  if (sequential) {
    return ` before "${init}" has opened the store of the locks: ${unsafe}. Put "${init}" first into the todo.`;
  }
  return ` while "${init}" may not have opened the store of the locks, because "async" runs them at the same time: ${unsafe}. Write deps: [${init}] in the job.`;
}

/** The first lock that a job takes, or "opened" if the store may be open before one. */
function firstLock(job: PlannedJob, file: JobFile, plan: Plan, openers: Openers): Position | "opened" | undefined {
  const { lock, lockCh = LOCKS } = job.typeArgs;
  if (lock !== undefined && lockCh === LOCKS) return file.jobs.get(job.name)?.typeArgsAt["lock"] ?? job.at;
  for (const step of job.steps) {
    if ("job" in step && step.job === JOB_START) return step.at;
    const inner = "job" in step ? plan.jobs.get(step.job) : undefined;
    const found = inner && firstLock(inner, file, plan, openers);
    if (typeof found === "object") return found;
    if (openers.stepMayOpen(step)) return "opened";
  }
  return undefined;
}
