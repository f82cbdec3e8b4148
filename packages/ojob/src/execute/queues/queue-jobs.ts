import type { JobManager } from "@ojm/core";
import { present } from "@ojm/core/internal";
import type { ItemInfo, Queues, RedriveOptions } from "@ojm/queue";
import type { Args } from "../../load/job-file.js";
import { checkStore, newItem, queueArg, queueOfFile } from "../../plan/queue/queue-args.js";
import { type Rule, readRule, rulesOf, VALUES, valuesOf } from "../../plan/queue/rules.js";
import { SourceFile } from "../../text/problem.js";
import { isMap } from "../../text/template.js";
import type { Execution } from "../engine.js";
import { JobError } from "../runtime/job-error.js";
import type { StoreConfig, WorkedQueue } from "./queue-stores.js";

/** How many dead letters a report names. */
const MOST_SHOWN = 10;

/** How much of the items of a queue a script counts. */
const COUNTED = 100_000;

/** A queue that a job names, with its worker if this process has one. */
interface Named {
  readonly name: string;
  readonly queues: Queues;
  readonly manager: JobManager;
  readonly worked: WorkedQueue | undefined;
}

async function named(execution: Execution, args: Args): Promise<Named> {
  const { runtime, plan } = execution.engine;
  const { queues } = runtime;
  const name = queues.nameOf(queueArg(args), queueOfFile(plan));
  const store = await queues.of(name, await storeOf(execution, args));
  return { name, queues: store.queues, manager: store.manager, worked: queues.worked.get(name) };
}

/** The store that arguments name by `type` and `args`. */
async function storeOf({ engine, job }: Execution, { type, args = {} }: Args): Promise<StoreConfig | undefined> {
  if (type === undefined) return undefined;
  checkStore({ type, args });
  const channel = { chLocks: { type, args } };
  return (await engine.placed(channel, channel, job.at))["chLocks"] as StoreConfig;
}

/** Handles the items of a queue with the jobs of this file. */
async function manage(execution: Execution, args: Args): Promise<void> {
  await execution.engine.beginQueue(args, await storeOf(execution, args));
}

/** Adds an item. Resolves to its id. */
async function add(execution: Execution, args: Args): Promise<string> {
  const { job, data, timeout, options } = newItem(args);
  const { name, queues, worked } = await named(execution, args);
  // A process that only adds items need not have the job.
  if (worked !== undefined) execution.engine.job(job);
  const item = { job, data, ...(timeout !== undefined && { timeout }) };
  const { id, added } = await queues.add(name, item, options);
  if (!added) execution.output.line("INFO", `the queue "${name}" has an item with this key already: ${id}`);
  return id;
}

/** Completes an item that this process handles, or removes one that waits. Resolves to whether it is gone. */
async function remove(execution: Execution, args: Args): Promise<boolean> {
  const { name, queues, manager, worked } = await named(execution, args);
  const { idx } = args;
  if (idx === undefined || idx === null) throw new JobError('"idx" is missing: the id of the item');
  const id = typeof idx === "number" ? await nth(queues, name, idx) : String(idx);
  if (id !== undefined && (await worked?.complete(id)) === true) return true;
  const found = id === undefined ? undefined : await queues.item(name, id);
  if (found === undefined) {
    execution.output.line("WARN", `the queue "${name}" has no item ${String(idx)}: nothing is deleted`);
    return false;
  }
  if (found.state === "active") throw await heldByOther(manager, name, found);
  return queues.discard(name, found.id, reasonOf(execution));
}

async function nth(queues: Queues, name: string, index: number): Promise<string | undefined> {
  let left = index;
  for await (const { id } of queues.items(name, { state: "waiting", limit: index + 1 })) if (left-- === 0) return id;
  return undefined;
}

async function heldByOther(manager: JobManager, name: string, { id, runs }: ItemInfo): Promise<JobError> {
  const held = (await manager.openRecords()).find((record) => record.id === runs.at(-1));
  const holder = held === undefined ? "another process" : `${held.holder.host}, pid ${held.holder.pid},`;
  return new JobError(
    `${holder} handles the item ${id} of the queue "${name}": only the job that handles it can delete it`,
  );
}

function reasonOf({ job }: Execution): { readonly reason: string } {
  return { reason: `by a script or step of the job "${job.name}"` };
}

/** What `oJob Queue Report` shows. */
async function report(execution: Execution, args: Args): Promise<Args> {
  const { name, queues } = await named(execution, args);
  const { oldest, ...counts } = await queues.counts(name);
  const dead: Args[] = [];
  for await (const { id, data, error, died } of queues.items(name, { state: "dead", limit: MOST_SHOWN }))
    dead.push({ idx: id, job: isMap(data) ? data["job"] : undefined, error, died });
  const age = oldest === undefined ? undefined : Math.max(0, execution.engine.runtime.clock.now() - oldest);
  const { output } = execution;
  const { waiting, delayed, active, workers } = counts;
  const since = age === undefined ? "" : `, the oldest for ${Math.round(age / 1_000)} s`;
  const facts = [`${waiting} waiting${since}`, `${delayed} delayed`, `${active} active`, `${counts.dead} dead`];
  output.line("INFO", `queue "${name}": ${facts.join("; ")}; ${workers} ${workers === 1 ? "worker" : "workers"}`);
  for (const { idx, job, error } of dead) output.line("WARN", `dead letter ${idx} of "${job}": ${error}`);
  return { queue: name, ...counts, ...(age !== undefined && { oldest: age }), letters: dead };
}

/** Takes no further item of the queue in this process. */
async function stop({ engine, runs }: Execution, args: Args): Promise<void> {
  const { queues } = engine.runtime;
  const worked = queues.worked.get(queues.nameOf(queueArg(args)));
  const stopped = worked?.stop();
  // A job that handles an item cannot wait for its own end.
  const isOfItem = [...runs.around()].some((run) => worked?.holds(run) === true);
  if (!isOfItem) await stopped;
}

async function retry(execution: Execution, args: Args): Promise<number> {
  const { name, queues } = await named(execution, args);
  const { idx, rate, limit } = args;
  const why = reasonOf(execution);
  if (idx !== undefined) {
    await queues.retry(name, String(idx), why);
    return 1;
  }
  return queues.redrive(name, { ...why, ...present({ rate, limit }) } as RedriveOptions);
}

/** Adds an item for the job of each rule that is true. Resolves to the ids of the items. */
async function applyRules(execution: Execution, args: Args): Promise<string[]> {
  const rules = rulesOf(args["rules"]);
  const { rules: _, data: written = {}, logFn: __, errFn: ___, queue: ____, ...rest } = args;
  const data = isAll(written) ? rest : written;
  if (!isMap(data)) throw new JobError('"data" must be a map, or "{{@}}" for all args');
  const results = await evaluate(execution, rules, data, { ...rest });
  const ids: string[] = [];
  const failed: string[] = [];
  for (const [index, { rule, job }] of rules.entries()) {
    const { value, error, isReported } = results[index] ?? {};
    if (error !== undefined) {
      if (isReported === true) continue;
      failed.push(rule);
      execution.output.line("ERROR", `the rule "${rule}" of "${job}" failed: ${error}`);
    } else if (value === true) {
      if (isReported !== true) execution.output.line("INFO", `the rule "${rule}" is true: "${job}" is queued`);
      ids.push(await add(execution, { ...queueOf(args), job, data }));
    }
  }
  if (failed.length > 0) throw new JobError(`${failed.length} of ${rules.length} rules failed: ${failed.join("; ")}`);
  return ids;
}

function queueOf({ queue, type, args }: Args): Args {
  return { ...(queue !== undefined && { queue }), ...(type !== undefined && { type, args }) };
}

function isAll(written: unknown): boolean {
  return typeof written === "string" && /^\s*\{\{\s*@\s*\}\}\s*$/.test(written);
}

/** The result of a rule. `isReported`: a function of the arguments has reported it. */
interface RuleResult {
  readonly value?: boolean;
  readonly error?: string;
  readonly isReported?: boolean;
}

/** Evaluates all rules in one script, so that functions among the arguments are called. */
async function evaluate(
  execution: Execution,
  rules: readonly Rule[],
  data: Args,
  args: Args,
): Promise<readonly RuleResult[]> {
  const read = rules.map(({ rule }) => {
    try {
      const one = readRule(rule);
      return { test: `(${VALUES}) => (\n${one.code}\n)`, values: valuesOf(one, data, args) };
    } catch (error) {
      return { test: `() => { throw new SyntaxError(${JSON.stringify((error as Error).message)}) }`, values: [] };
    }
  });
  const code = `const $rules = args.$rules; delete args.$rules;
return [${read.map(({ test }) => test).join(",\n")}].map((test, index) => {
  const { rule, values } = $rules[index];
  try {
    const value = Boolean(test(values));
    const isReported = value && typeof args.logFn === "function";
    if (isReported) args.logFn(rule, rule.rule);
    return { value, isReported };
  } catch (error) {
    const isReported = typeof args.errFn === "function";
    if (isReported) args.errFn(rule, rule.rule, error);
    return { error: String(error), isReported };
  }
});`;
  const source = new SourceFile("rules", "rules", code);
  const block = { code, source, line: 1, indent: 0, exact: false };
  const given = { ...args, $rules: rules.map((rule, index) => ({ rule, values: read[index]?.values })) };
  return (await execution.runCode(block, given)) as readonly RuleResult[];
}

type QueueJob = (execution: Execution, args: Args) => Promise<Args | undefined>;

/** The jobs of `oJobQueue.yaml`. Each resolves to the arguments that it adds. */
export const queueJobs: Readonly<Record<string, QueueJob>> = {
  "oJob Queue Manager": async (execution, args) => void (await manage(execution, args)) as undefined,
  "oJob Queue Add": async (execution, args) => ({ idx: await add(execution, args) }),
  "oJob Queue Delete": async (execution, args) => ({ deleted: await remove(execution, args) }),
  "oJob Queue Rules": async (execution, args) => ({ queued: await applyRules(execution, args) }),
  "oJob Queue Report": async (execution, args) => ({ report: await report(execution, args) }),
  "oJob Queue Stop": async (execution, args) => void (await stop(execution, args)) as undefined,
  "oJob Queue Retry": async (execution, args) => ({ retried: await retry(execution, args) }),
};

/** The calls of `global.oJobQueue` and `global.__oJobQueue`. */
const CALLS: Readonly<Record<string, (execution: Execution, parameters: readonly unknown[]) => Promise<unknown>>> = {
  add: (execution, [args]) => add(execution, mapOf(args)),
  del: (execution, [args]) => remove(execution, mapOf(args)),
  delete: (execution, [idx]) => remove(execution, { idx }),
  send: (execution, [obj, unique, ttl, priority]) =>
    add(execution, { ...mapOf(obj), ...given({ unique, ttl, priority }) }),
  size,
  stop: (execution) => stop(execution, {}),
  async purge(execution) {
    const { name, queues } = await named(execution, {});
    const why = reasonOf(execution);
    return (await queues.purge(name, why)) + (await queues.purge(name, { ...why, state: "delayed" }));
  },
};

/** Performs a call of a script on the queue of the process. */
export async function queueCall(execution: Execution, verb: string, parameters: readonly unknown[]): Promise<unknown> {
  const call = Object.hasOwn(CALLS, verb) ? CALLS[verb] : undefined;
  if (call === undefined) throw new JobError(`a queue has no ${verb}()`);
  return call(execution, parameters);
}

/** How many items wait or are handled. 0 before a queue is there. */
async function size(execution: Execution): Promise<number> {
  const { queues } = execution.engine.runtime;
  const worked = queues.worked.get(queues.nameOf(undefined));
  if (worked === undefined) return 0;
  const { waiting, delayed, active } = await worked.store.queues.counts(worked.name, { most: COUNTED });
  return waiting + delayed + active;
}

function mapOf(value: unknown): Args {
  if (isMap(value)) return value;
  throw new JobError("a call of the queue takes a map");
}

function given(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null));
}
