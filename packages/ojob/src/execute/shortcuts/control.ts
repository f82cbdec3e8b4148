import type { Args, Shortcut, StepJob, StepReference } from "../../load/job-file.js";
import { shortcutJob } from "../../plan/planned.js";
import { conditionScript } from "../../plan/script.js";
import { merge } from "../../script/worker/functions/values.js";
import { isMap } from "../../shortcuts/values.js";
import { mapConcurrent } from "../dispatch/dispatch.js";
import { JobError, SkippedJob, within } from "../runtime/job-error.js";
import type { ShortcutRun } from "./shortcut-run.js";

/** Shortcuts that decide which jobs run. As in OpenAF, changes of their arguments are not handed on. */
export const CONTROL: Readonly<Record<string, (run: ShortcutRun) => Promise<Args>>> = {
  if: async (run) => {
    await runInTurn(run, run.list((await isTrue(run)) ? "then" : "else"), run.args);
    return run.args;
  },
  optionOn: async (run) => {
    const list = chosen(run);
    if (run.flag("async")) await runAtOnce(run, list, run.args);
    else await runInTurn(run, list, run.args);
    return run.args;
  },
  todo: async (run) => {
    await runInTurn(run, run.list(), run.args, run.flag("shareArgs"));
    return run.args;
  },
  parallel: async (run) => {
    await runAtOnce(run, run.list(), run.args);
    return run.args;
  },
  repeat: async (run) => {
    const times = run.number("a number of times");
    for (let time = 0; time < times; time++) await runInTurn(run, run.list("todo"), run.args);
    return run.args;
  },
  each: async (run) => {
    const key = run.text("key") ?? "";
    const items = run.read(key, run.text());
    if (!Array.isArray(items))
      throw new Error(`(each) finds no list in ${key}${run.text() ? ` at ${run.text()}` : ""}`);
    for (const item of items) {
      const args = merge(run.args, isMap(item) ? item : { item }) as Args;
      await runInTurn(run, run.list("todo"), args);
    }
    return run.args;
  },
  check: async (run) => {
    const args = { ...run.args, _action: await actionOf(run) };
    const actions = run.list(`actions.${args._action}`);
    if (isGo(run.args)) await runInTurn(run, actions, args);
    else if (actions.length > 0) {
      const names = actions.map((step) => ("job" in step ? step.job : `(${step.shortcut.name})`)).join(", ");
      const message = `(check): the action "${args._action}" would run ${names}. Add _go=true to run it.`;
      run.context.owner.output.line("INFO", message);
    }
    return args;
  },
  wait: async (run) => {
    await pause(run, run.number("a number of milliseconds"));
    return run.args;
  },
  fail: async (run) => {
    const message = `(fail) ends the run, with the code ${run.text() ?? 0} of the job file`;
    run.context.host.stop(message);
    throw new Error(message);
  },
};

async function isTrue(run: ShortcutRun): Promise<boolean> {
  const block = run.shortcut.blocks["value"];
  if (block === undefined) return false;
  const code = run.templates.templify(run.written(), run.args);
  const script = conditionScript(block, code);
  const result = await run.context.evaluate(script, run.args).catch((error: unknown) => {
    throw within(block, error);
  });
  debug(run, () => `(if): ${code.trim()} is ${JSON.stringify(result)}`);
  return Boolean(result);
}

/** The jobs of `(optionOn)` for the value of its argument. */
function chosen(run: ShortcutRun): readonly StepReference[] {
  const value = run.args[run.text() ?? ""];
  const text = value === undefined || value === null ? "" : String(value).trim();
  const option = run.flag("lowerCase") ? text.toLowerCase() : run.flag("upperCase") ? text.toUpperCase() : text;
  const isKnown = Object.hasOwn(run.shortcut.lists, `todos.${option}`);
  return run.list(isKnown ? `todos.${option}` : "default");
}

async function actionOf(run: ShortcutRun): Promise<string> {
  let action = "none";
  for (const item of run.list()) {
    const { _action } = await runItem(run, item, { ...run.args, _action: action });
    if (typeof _action === "string") action = _action;
  }
  return action;
}

function isGo({ _go }: Args): boolean {
  return _go === true || _go === "true";
}

/** Runs jobs one after the other. With `share`, each gets what the one before left behind. */
async function runInTurn(run: ShortcutRun, list: readonly StepReference[], args: Args, share = false): Promise<void> {
  let current = args;
  for (const item of list) {
    // Shortcuts alone would never let the process do anything else, such as keeping its locks.
    await new Promise((resolve) => setImmediate(resolve));
    run.context.expectToGoOn();
    const result = await runItem(run, item, current);
    if (share) current = merge(current, result) as Args;
  }
}

/** Runs jobs at once, as far as there are slots. A job that fails does not stop the others. */
async function runAtOnce(run: ShortcutRun, list: readonly StepReference[], args: Args): Promise<void> {
  await mapConcurrent(run.context.host.dispatch, list, async (item) => {
    if ("shortcut" in item) await runAlone(run, item.shortcut, args);
    else await runItem(run, item, args);
  });
}

/** Runs a shortcut in an execution of its own: the thread of this one can run one script at a time. */
async function runAlone({ context }: ShortcutRun, shortcut: Shortcut, args: Args): Promise<void> {
  const { host, owner, job, place } = context;
  const { environment, folder } = place;
  const around = { secrets: job.secrets, environment, ...(folder !== undefined && { folder }) };
  const alone = shortcutJob(shortcut, around);
  try {
    await host.execute(alone, args, { trigger: owner.trigger, parent: owner });
  } catch (error) {
    if (!(error instanceof SkippedJob)) throw error;
    host.jobSkipped(alone.name, error.message);
  }
}

/** Runs an item of a list, and resolves to the arguments that it leaves behind. */
async function runItem(run: ShortcutRun, item: StepReference, args: Args): Promise<Args> {
  if ("shortcut" in item) return run.context.run(item.shortcut, args);
  const { host, owner } = run.context;
  const name = String(run.templatesFor(args).fill(item.job, "name"));
  expectToRun(run, name);
  const given = await givenTo(run, item, args);
  debug(run, () => `${run.name}: ${name} with ${run.shown(given)}`);
  const outcome = await host.call(name, given, owner);
  if (outcome.status === "completed") return outcome.args;
  if (outcome.status === "failed") throw outcome.error;
  if (!outcome.intended) throw new JobError(`"${name}" was skipped: ${outcome.reason}`);
  host.jobSkipped(name, outcome.reason);
  return args;
}

/** A job that a template names was not looked at before the start. */
function expectToRun(run: ShortcutRun, name: string): void {
  const { type } = run.context.host.job(name);
  if (type === "simple" || type === "jobs") return;
  throw new Error(`${run.name} cannot run the job "${name}": it is of type ${type}. Name it in "todo"`);
}

async function givenTo(run: ShortcutRun, item: StepJob, args: Args): Promise<Args> {
  const isTemplate = item.templateArgs ?? run.flag("templateArgs", true);
  const own = (isTemplate ? run.templatesFor(args).fill(item.args, "args") : item.args) as Args;
  const isIsolated = item.isolateArgs ?? run.flag("isolateArgs");
  const given = isIsolated ? own : (merge(args, own) as Args);
  return run.context.host.placed(given, item.args, item.at);
}

function debug(run: ShortcutRun, message: () => string): void {
  if (run.flag("debug")) run.context.owner.output.line("INFO", message());
}

/** Waits, unless the job is asked to stop. */
async function pause(run: ShortcutRun, ms: number): Promise<void> {
  const { host, signal } = run.context;
  await new Promise<void>((resolve) => {
    const cancel = host.runtime.clock.after(ms, () => done(), true);
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
  run.context.expectToGoOn();
}
