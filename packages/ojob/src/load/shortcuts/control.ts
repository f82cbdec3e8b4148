import { jobs } from "../../shortcuts/syntax.js";
import { anything, code, flag, record, required, text } from "../shape.js";
import type { ShortcutShape } from "./shape.js";

const debug = flag("Log what the shortcut works with.");
const isolateArgs = flag("Each job sees its own arguments only.");
const templateArgs = flag("Whether templates in the `args` of the items are filled. Default: true.");
const OTHER_SCOPE = "leave it out: the jobs run in this file, and wait for their deps";

/** Shortcuts that decide which jobs run. */
export const CONTROL: Readonly<Record<string, ShortcutShape>> = {
  if: {
    doc: "Runs jobs if this code is true. Templates in it are filled first.",
    value: required(code("Code that is true or false.")),
    options: {
      // biome-ignore lint/suspicious/noThenProperty: it is the name of an option, and no function
      then: jobs("What runs if it is true."),
      else: jobs("What runs if it is not."),
      debug,
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
  },
  parallel: {
    doc: "Runs jobs at once, as far as there are slots.",
    value: required(jobs("The jobs.")),
    options: { isolateArgs, templateArgs, debug },
    refused: { isolateJob: OTHER_SCOPE, shareArgs: "jobs that run at once share nothing: write (todo)" },
  },
  repeat: {
    doc: "Runs jobs several times.",
    value: required(text("How many times.")),
    options: { todo: required(jobs("The jobs.")) },
  },
  each: {
    doc: "Runs jobs for each item of a list. A map becomes their arguments, anything else their `item`.",
    value: text("The path of the list. Default: the whole value."),
    options: {
      key: required(text("The key of $get that holds the list, or args.")),
      todo: required(jobs("The jobs.")),
    },
  },
  check: {
    doc: "Runs jobs that set `_action`, and then, with `_go=true`, the jobs of that action.",
    value: required(jobs("The jobs that set `_action`.")),
    options: { actions: required(record(jobs("What runs for this action."), "What runs, by action.")) },
  },
  wait: {
    doc: "Waits.",
    value: required(text("How long, in ms.")),
    options: {},
  },
  fail: {
    doc: "Ends the whole run as failed: jobs that run are stopped, and no other starts.",
    value: text("The exit code of OpenAF. Here the process ends with 1."),
    options: {},
    refused: { force: "leave it out: jobs of type shutdown run, and the others have the grace to stop" },
  },
  run: runsFile(),
  runfile: runsFile(),
};

function runsFile(): ShortcutShape {
  return {
    doc: "Runs another job file.",
    value: required(text("The job file.")),
    options: {
      args: record(anything("A value."), "The arguments of its command line."),
      key: text("The key of $get for what it hands to its output. Default: res."),
      inKey: text("A key of $get with more arguments."),
      templateArgs: flag("Fill the templates in ((args)). Default: false."),
      debug,
    },
    refused: {
      out: "write ((key)): OpenAF does not use ((out)) either",
      usePM: "write ((key)): ojm has no __pm",
      inPM: "write ((inKey)): ojm has no __pm",
    },
  };
}
