import type { AddOptions, QueueOptions } from "@ojm/queue";
import type { Args } from "../../load/job-file.js";
import { hasTemplate, isMap } from "../../text/template.js";
import type { WrongArg } from "../manager/manager-args.js";
import type { Plan, PlannedJob } from "../planned.js";

export const QUEUE_MANAGER = "oJob Queue Manager";

export const QUEUE_DELETE = "oJob Queue Delete";

export const QUEUE_RULES = "oJob Queue Rules";

export const DEFAULT_QUEUE = "queue";

/**
 * A lost attempt counts like a failed one in the queue. The most attempts are higher by this number, so that
 * an item whose `attempts` is 1 outlives the death of its worker.
 */
const MOST_LOST = 4;

/** The most attempts that a queue accepts. */
const MOST_ATTEMPTS = 100;

/** The longest wait that is accepted, in ms. */
const LONGEST = 365 * 86_400_000;

const PERIODS: readonly string[] = ["queueTimeout", "queuePeriod"];
const DEFINITION = ["delay", "backoff", "timeout", "permits", "perGroup", "dead"] as const;
const ADD = ["priority", "delay", "at", "ttl", "group"] as const;

/** The arguments of `oJob Queue Manager`. */
export interface ManagerArgs {
  readonly name: string;
  readonly concurrency: number | undefined;
  /** The failure at this attempt is final. */
  readonly attempts: number;
  readonly deletes: boolean;
  readonly definition: QueueOptions;
}

/** @throws Error that names the argument */
export function managerArgs(args: Args): ManagerArgs {
  const { name = DEFAULT_QUEUE, concurrency, attempts = 1, queueDelete = true } = args;
  if (typeof name !== "string" || name === "") refuse("name", "the name of the queue, a text", name);
  if (typeof queueDelete !== "boolean") refuse("queueDelete", "true or false", queueDelete);
  const slots = concurrency === undefined ? undefined : whole("concurrency", concurrency);
  for (const period of PERIODS) if (args[period] !== undefined) millis(period, args[period]);
  const most = whole("attempts", attempts);
  const { rate } = args;
  // A rate without a name is that of the queue alone.
  const ofQueue = isMap(rate) ? { rate: { name, ...rate } } : picked(args, ["rate"]);
  const mostOfAll = most > MOST_ATTEMPTS ? most : Math.min(most + MOST_LOST, MOST_ATTEMPTS);
  const definition = { ...picked(args, DEFINITION), ...ofQueue, attempts: mostOfAll } as QueueOptions;
  return { name, concurrency: slots, attempts: most, deletes: queueDelete, definition };
}

/** What is wrong with arguments of `oJob Queue Manager`. */
export async function wrongWorkerArgs(args: Args): Promise<readonly WrongArg[]> {
  try {
    checkStore(args);
    const { name, definition } = managerArgs(args);
    const { checkQueueOptions } = await import("@ojm/queue");
    checkQueueOptions(name, definition);
  } catch (error) {
    const { message } = error as Error;
    const argument = Object.keys(args).find((one) => message.split(/\W+/).includes(one)) ?? "args";
    return [{ argument, message }];
  }
  return [];
}

/** @throws Error if `type` and `args` cannot be those of a store */
export function checkStore({ type, args = {} }: Args): void {
  if (type !== undefined && typeof type !== "string") refuse("type", "the type of a store, a text", type);
  if (!isMap(args)) refuse("args", "a map, the options of the store", args);
}

/** The item of `oJob Queue Add`. */
export interface NewItem {
  readonly job: string;
  readonly data: Args;
  readonly timeout: number | undefined;
  readonly options: AddOptions;
}

/** @throws Error that names the argument */
export function newItem(args: Args): NewItem {
  const { job, data, timeout, unique } = args;
  if (typeof job !== "string" || job === "") refuse("job", "the name of the job that handles the item", job);
  if (!isMap(data)) refuse("data", "a map, the arguments of the job", data);
  const template = unfilled(data);
  if (template !== undefined)
    throw new Error(`nothing fills ${template} in "data": the job would get the template instead of a value`);
  const key = unique === undefined ? {} : { unique: isMap(unique) ? unique : { key: String(unique) } };
  return {
    job,
    data: withoutItem(data),
    timeout: timeout === undefined ? undefined : millis("timeout", timeout),
    options: { ...picked(args, ADD), ...key, meta: { job } } as AddOptions,
  };
}

/** The name of the queue among the arguments; `undefined` stands for the queue of the process. */
export function queueArg({ queue }: Args): string | undefined {
  if (queue !== undefined && (typeof queue !== "string" || queue === "")) refuse("queue", "a name", queue);
  return queue as string | undefined;
}

/** Whether one of these steps is the job with this name. */
export function stepsTo({ steps }: Pick<PlannedJob, "steps">, name: string): boolean {
  return steps.some((step) => "job" in step && step.job === name);
}

/** The name of the queue of the first worker in a file, which perhaps does not run in this process. */
export function queueOfFile({ jobs, todo }: Pick<Plan, "jobs" | "todo">): string | undefined {
  const worker = [...jobs.values()].find((job) => stepsTo(job, QUEUE_MANAGER));
  if (worker === undefined) return undefined;
  const given = todo.flatMap(({ job, args }) => (job === worker.name ? args : []));
  const { name } = [...worker.args, ...given].find((args) => args["name"] !== undefined) ?? {};
  return typeof name === "string" && !hasTemplate(name) ? name : undefined;
}

/** The arguments that the job of an item gets beside its data. */
export function argsOfItem(data: Args, idx: string, obj: Args, attempt: number): Args {
  return { data, ...data, idx, obj, attempt };
}

/** The data without what its job got beside it. A job that adds its `args` again must not let them grow. */
function withoutItem(data: Args): Args {
  const { idx, obj, attempt, ...rest } = data;
  const isOfItem = typeof idx === "string" && typeof attempt === "number" && isMap(obj) && isMap(obj["data"]);
  return isOfItem ? rest : data;
}

/** The first text in a value that is nothing but a template. */
function unfilled(value: unknown): string | undefined {
  if (typeof value === "string") return /^\s*\{\{[^{}]+\}\}\s*$/.test(value) ? value.trim() : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const one of Object.values(value)) {
    const found = unfilled(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function picked(args: Args, names: readonly string[]): Args {
  return Object.fromEntries(names.flatMap((name) => (args[name] === undefined ? [] : [[name, args[name]]])));
}

function whole(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  return refuse(name, "a whole number above 0", value);
}

function millis(name: string, value: unknown): number {
  if (typeof value === "number" && value > 0 && value <= LONGEST) return value;
  return refuse(name, "a number of milliseconds above 0", value);
}

function refuse(name: string, what: string, value: unknown): never {
  const given = value === undefined ? ": it is missing" : `, not ${JSON.stringify(value)}`;
  throw new Error(`"${name}" must be ${what}${given}`);
}
