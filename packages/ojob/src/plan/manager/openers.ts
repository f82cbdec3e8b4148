import type { Args, CodeBlock } from "../../load/job-file.js";
import type { Position } from "../../text/problem.js";
import type { Plan, PlannedJob, Step } from "../planned.js";
import { jobsNamedIn, shortcutsIn } from "../shortcuts/walk.js";
import { JOB_INIT, STORES } from "./manager-args.js";

/** The job that opens the store of the job manager, and where its channels are written. */
export interface NamedStore {
  readonly job: string;
  readonly at: Position;
}

/** The jobs of a file that open its job manager, or may do so. */
export class Openers {
  /** The store that the file names; `undefined` if it keeps its locks in memory. */
  readonly store: NamedStore | undefined;
  /** Whether anything in the file may open the job manager. */
  readonly any: boolean;
  readonly #jobs: ReadonlyMap<string, PlannedJob>;
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

  /** The same of a step. */
  stepMayOpen(step: Step): boolean {
    return this.#scriptMayOpen(step) || jobsNamedIn([step]).some((name) => this.mayOpen(name));
  }

  #scriptMayOpen(step: Step): boolean {
    if ("job" in step) return false;
    const texts = "code" in step ? [step.code.code] : shortcutsIn([step]).map(({ values }) => JSON.stringify(values));
    return texts.some((text) => [JOB_INIT, ...this.#surely].some((name) => text.includes(name)));
  }
}

/** A job, its steps, and their steps. */
function partsOf(name: string, jobs: ReadonlyMap<string, PlannedJob>, parts = new Set<string>()): ReadonlySet<string> {
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

function namedIn(
  all: readonly Args[],
  argsAt: Readonly<Record<string, Position>>,
  at: Position,
  job: string,
): NamedStore | undefined {
  const name = STORES.find((channel) => all.some((args) => isLasting(args[channel])));
  return name === undefined ? undefined : { job, at: argsAt[name] ?? at };
}

/** Whether a channel is of another type than the one in memory, or of one that a template decides. */
function isLasting(config: unknown): boolean {
  if (config === undefined || config === null) return false;
  return typeof config !== "object" || ((config as Args)["type"] ?? "simple") !== "simple";
}
