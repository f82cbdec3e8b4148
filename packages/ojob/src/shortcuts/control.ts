import { pause } from "@ojm/core/internal";
import { mapConcurrent } from "../execute/dispatch/dispatch.js";
import { JobError, SkippedJob, within } from "../execute/runtime/job-error.js";
import type { Args, Shortcut, StepJob, StepReference } from "../load/job-file.js";
import { anything, code, flag, record, required, text } from "../load/shape.js";
import { shortcutJob } from "../plan/planned.js";
import { checkScript, conditionScript, conditionToCheck, warnIfMisplaced } from "../plan/script.js";
import { merge } from "../script/worker/functions/values.js";
import { isMap } from "../text/template.js";
import {
  type CheckContext,
  type Complain,
  expectNumber,
  isTemplate,
  RESULT,
  type ShortcutDefinition,
  type ShortcutRun,
  type Shortcuts,
} from "./definition.js";
import { jobs } from "./syntax.js";

const debug = flag("Log what the shortcut works with.");
const isolateArgs = flag("Each job sees its own arguments only.");
const templateArgs = flag("Whether templates in the `args` of the items are filled. Default: true.");
const OTHER_SCOPE = "leave it out: the jobs run in this file, and wait for their deps";

const RUN_FILE: ShortcutDefinition = {
  doc: "Runs another job file.",
  value: required(text("The job file.")),
  options: {
    args: record(anything("A value."), "The arguments of its command line."),
    key: text("The key under which $get finds its output. Default: res."),
    inKey: text("A key of $get with more arguments."),
    templateArgs: flag("Fill the templates in ((args)). Default: false."),
    debug,
  },
  refused: {
    out: "write ((key)): OpenAF does not use ((out)) either",
    usePM: "write ((key)): ojm has no __pm",
    inPM: "write ((inKey)): ojm has no __pm",
  },
  check: checkFile,
  run: runFile,
};

/** Shortcuts that decide which jobs run. As in OpenAF, they do not hand on changes of their arguments. */
export const CONTROL: Shortcuts = {
  if: {
    doc: "Runs jobs if this code is true. Templates in it are filled first.",
    value: required(code("Code that is true or false.")),
    options: {
      // biome-ignore lint/suspicious/noThenProperty: it is the name of an option, and no function
      then: jobs("What runs if it is true."),
      else: jobs("What runs if it is not."),
      debug,
    },
    jobs: { if: "__condition=value __then __else __debug" },
    isTemplate: true,
    code: conditionToCheck,
    check: ({ blocks: { value } }, _, { owner, problems }) => {
      const block = value && conditionToCheck(value);
      if (block !== undefined) checkScript(block, "(if)", owner, problems);
    },
    run: async (run) => {
      await runInTurn(run, run.list((await isTrue(run)) ? "then" : "else"), run.args);
      return run.args;
    },
  },
  optionOn: {
    doc: "Runs the jobs for the value of an argument.",
    value: required(text("The name of the argument.")),
    options: {
      todos: required(record(jobs("What runs for this value."), "What runs, by the value of the argument.")),
      default: jobs("What runs for any other value."),
      lowerCase: flag("Compare the value in small letters."),
      upperCase: flag("Compare the value in capital letters."),
      async: flag("Run the jobs at once."),
    },
    jobs: { options: "__optionOn=value __todos __default __lowerCase __upperCase __async" },
    run: async (run) => {
      const list = chosen(run);
      if (run.flag("async")) await runAtOnce(run, list, run.args);
      else await runInTurn(run, list, run.args);
      return run.args;
    },
  },
  todo: {
    doc: "Runs jobs one after the other.",
    value: required(jobs("The jobs.")),
    options: {
      shareArgs: flag("Hand the arguments that a job leaves behind to the next one."),
      isolateArgs,
      templateArgs,
      debug,
    },
    refused: { isolateJob: OTHER_SCOPE },
    jobs: { todo: "todo=value isolateArgs isolateJob templateArgs shareArgs __debug" },
    run: async (run) => {
      await runInTurn(run, run.list(), run.args, run.flag("shareArgs"));
      return run.args;
    },
  },
  parallel: {
    doc: "Runs jobs at once, as far as there are slots.",
    value: required(jobs("The jobs.")),
    options: { isolateArgs, templateArgs, debug },
    refused: { isolateJob: OTHER_SCOPE, shareArgs: "jobs that run at once share nothing: write (todo)" },
    jobs: { parallel: "todo=value isolateArgs isolateJob templateArgs shareArgs __debug" },
    run: async (run) => {
      await runAtOnce(run, run.list(), run.args);
      return run.args;
    },
  },
  repeat: {
    doc: "Runs jobs several times.",
    value: required(text("How many times.")),
    options: { todo: required(jobs("The jobs.")) },
    jobs: { repeat: "__times=value __jobs=todo" },
    check: ({ values }, complain) => expectNumber(values["value"], "a number of times", complain),
    run: async (run) => {
      const times = run.number("a number of times");
      for (let time = 0; time < times; time++) await runInTurn(run, run.list("todo"), run.args);
      return run.args;
    },
  },
  each: {
    doc: "Runs jobs for each item of a list. A map becomes their arguments, anything else their `item`.",
    value: text("The path of the list. Default: the whole value."),
    options: {
      key: required(text("The key of $get that holds the list, or args.")),
      todo: required(jobs("The jobs.")),
    },
    jobs: { "repeat with each": "__path=value __key __jobs=todo" },
    run: async (run) => {
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
  },
  check: {
    doc: "Runs jobs that set `_action`, and then, with `_go=true`, the jobs of that action.",
    value: required(jobs("The jobs that set `_action`.")),
    options: { actions: required(record(jobs("What runs for this action."), "What runs, by action.")) },
    jobs: { check: "_checks=value _actions=actions", job: "_checks=value _actions=actions" },
    run: async (run) => {
      const args = { ...run.args, _action: await actionOf(run) };
      const actions = run.list(`actions.${args._action}`);
      if (isGo(run.args)) await runInTurn(run, actions, args);
      else if (actions.length > 0) {
        const names = actions.map((step) => ("job" in step ? step.job : `(${step.shortcut.name})`)).join(", ");
        run.line(`(check): the action "${args._action}" would run ${names}. Add _go=true to run it.`);
      }
      return args;
    },
  },
  wait: {
    doc: "Waits.",
    value: required(text("How long, in ms.")),
    options: {},
    jobs: { wait: "time=value" },
    check: ({ values }, complain) => expectNumber(values["value"], "a number of milliseconds", complain),
    run: async (run) => {
      const { engine, execution } = run;
      await pause(engine.runtime.clock, run.number("a number of milliseconds"), [execution.signal]);
      execution.throwIfStopped();
      return run.args;
    },
  },
  fail: {
    doc: "Ends the whole run as failed: jobs that run are stopped, and no other starts.",
    value: text("The exit code of OpenAF. Here the process ends with 1."),
    options: {},
    refused: { force: "leave it out: jobs of type shutdown run, and the others have the grace to stop" },
    check: ({ values: { value = 0 } }, complain) => {
      expectNumber(value, "an exit code", complain);
      if (Number(value) !== 0) return;
      complain("(fail) ends the run as failed: give it a code other than 0. To end a job well, write job.skip(reason)");
    },
    run: (run) => {
      const message = `(fail) ends the run, with the code ${run.text() ?? 0} of the job file`;
      run.engine.stop(message);
      throw new Error(message);
    },
  },
  run: {
    ...RUN_FILE,
    jobs: { "run file": "__job=value __args __out __key __inKey __usePM __inPM __templateArgs __debug" },
  },
  runfile: RUN_FILE,
};

async function isTrue(run: ShortcutRun): Promise<boolean> {
  const block = run.shortcut.blocks["value"];
  if (block === undefined) return false;
  const code = run.templates.templify(run.written(), run.args);
  const script = conditionScript(block, code);
  const result = await run.execution.runCode(script, run.args).catch((error: unknown) => {
    throw within(block, error);
  });
  run.debug(() => `(if): ${code.trim()} is ${JSON.stringify(result)}`);
  return Boolean(result);
}

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

/** Runs jobs one after the other. With `share`, each gets the arguments that the previous one left behind. */
async function runInTurn(run: ShortcutRun, list: readonly StepReference[], args: Args, share = false): Promise<void> {
  let current = args;
  for (const item of list) {
    // Without this, a loop of shortcuts alone would block the event loop, and with it the heartbeats of
    // locks.
    await new Promise((resolve) => setImmediate(resolve));
    run.execution.throwIfStopped();
    const result = await runItem(run, item, current);
    if (share) current = merge(current, result) as Args;
  }
}

/** Runs jobs at once, as far as there are slots. A job that fails does not stop the others. */
async function runAtOnce(run: ShortcutRun, list: readonly StepReference[], args: Args): Promise<void> {
  await mapConcurrent(run.engine.dispatch, list, async (item) => {
    if ("shortcut" in item) await runAlone(run, item.shortcut, args);
    else await runItem(run, item, args);
  });
}

/** Runs a shortcut in an execution of its own: the thread of this one can run one script at a time. */
async function runAlone({ engine, execution }: ShortcutRun, shortcut: Shortcut, args: Args): Promise<void> {
  const { environment, folder } = execution.place;
  const around = { secrets: execution.job.secrets, environment, ...(folder !== undefined && { folder }) };
  const alone = shortcutJob(shortcut, around);
  try {
    await engine.execute(alone, args, { trigger: execution.trigger, parent: execution });
  } catch (error) {
    if (!(error instanceof SkippedJob)) throw error;
    engine.jobSkipped(alone.name, error.message);
  }
}

/** Runs an item of a list, and resolves to the arguments that it leaves behind. */
async function runItem(run: ShortcutRun, item: StepReference, args: Args): Promise<Args> {
  const { engine, execution } = run;
  if ("shortcut" in item) return execution.runShortcut(item.shortcut, args);
  const name = String(run.templatesFor(args).fill(item.job, "name"));
  expectToRun(run, name);
  const given = await givenTo(run, item, args);
  run.debug(() => `${run.name}: ${name} with ${run.shown(given)}`);
  const outcome = await engine.call(name, given, execution);
  if (outcome.status === "completed") return outcome.args;
  if (outcome.status === "failed") throw outcome.error;
  if (!outcome.intended) throw new JobError(`"${name}" was skipped: ${outcome.reason}`);
  engine.jobSkipped(name, outcome.reason);
  return args;
}

/** A job whose name comes from a template was not checked before the start. */
function expectToRun(run: ShortcutRun, name: string): void {
  const { type } = run.engine.job(name);
  if (type === "simple" || type === "jobs") return;
  throw new Error(`${run.name} cannot run the job "${name}": it is of type ${type}. Name it in "todo"`);
}

async function givenTo(run: ShortcutRun, item: StepJob, args: Args): Promise<Args> {
  const isFilled = item.templateArgs ?? run.flag("templateArgs", true);
  const own = (isFilled ? run.templatesFor(args).fill(item.args, "args") : item.args) as Args;
  const isIsolated = item.isolateArgs ?? run.flag("isolateArgs");
  const given = isIsolated ? own : (merge(args, own) as Args);
  return run.engine.placed(given, item.args, item.at);
}

function checkFile({ values: { value }, places, at }: Shortcut, complain: Complain, context: CheckContext): void {
  const { file, problems } = context;
  const name = String(value);
  if (isTemplate(value)) return;
  if (file.jobs.has(name)) complain(`"${name}" is a job of this file: write its name alone, without the shortcut`);
  else if (/^https?:|^ojob\.io\/|::/.test(name)) complain(`only files can be run: fetch ${name}, and name the copy`);
  else warnIfMisplaced(name, places["value"] ?? at, problems);
}

/** Runs another job file. As in OpenAF, its output with the format `key` is stored under the key. */
async function runFile(run: ShortcutRun): Promise<Args> {
  const { clock, values } = run.engine.runtime;
  const key = run.key("key");
  const id = key === "args" ? clock.random(12) : key;
  const written = run.flag("templateArgs") ? run.value("args") : run.shortcut.values["args"];
  const more = run.text("inKey") === undefined ? {} : run.read(run.text("inKey") ?? "");
  const args = merge(merge(written ?? {}, more ?? {}), { __format: "key", __key: id }) as Args;
  run.debug(() => `${run.name}: ${run.shown(args)}`);
  const { at } = run.shortcut;
  await run.execution.runFile({ at, typeArgs: { file: run.path() ?? "" } }, args);
  if (key !== "args" && key !== RESULT) return run.args;
  const result = run.read(id);
  if (key === "args") values.delete(id);
  return isMap(result) ? run.withData(result) : run.args;
}
