import { anything, either, flag, record, required, type Shape, text, word } from "../shape.js";
import type { ShortcutShape } from "./shape.js";

const path = text("A path in it, or a JMESPath expression. Default: all of it.");
const fields = (doc: string): Shape => record(anything("A value."), doc);

/** Shortcuts that read, change and keep data. */
export const DATA: Readonly<Record<string, ShortcutShape>> = {
  pass: {
    doc: "Adds these values to the arguments.",
    value: fields("The values."),
    options: {
      templateArgs: flag("Whether templates in the values are filled. Default: true."),
      debug: flag("Log the values."),
    },
  },
  get: {
    doc: "Adds a map that $set keeps to the arguments, or a list as `_list`.",
    value: text("The key. Default: res."),
    options: { path },
  },
  set: {
    doc: "Keeps a value for $get.",
    value: text("The key. Default: res."),
    options: {
      path: text("The path of the value in the arguments. Default: all of them."),
      data: fields("The value itself."),
      templateArgs: flag("Whether templates in ((data)) are filled. Default: true."),
      debug: flag("Log the value."),
    },
  },
  unset: {
    doc: "Forgets what $set keeps.",
    value: text("The key. Default: res."),
    options: {},
  },
  fileget: {
    doc: "Reads a YAML or JSON file.",
    value: required(text("The file.")),
    options: {
      path,
      out: text("The argument that gets it, or a path there."),
      key: text("Without ((out)), the key for $get. Default: res."),
      cache: flag("No effect: the file is read each time."),
      ttl: text("No effect: the file is read each time."),
    },
  },
  secget: {
    doc: "Adds a secret to the arguments. Its value is never shown.",
    value: text("The name of the secret. Default: the argument `secKey`."),
    options: {
      secEnv: flag("The secret is a variable of the environment."),
      secFile: text("A YAML or JSON file that holds the secret."),
      secBucket: text("The part of the file that holds the secret."),
      secOut: text("The argument that gets it, or a path there. Default: the fields of the secret become arguments."),
      secIgnore: flag("No secret is no failure."),
      secDontAsk: flag("No effect: nobody is asked."),
    },
    refused: {
      secRepo:
        'write "((secEnv)): true" for a variable of the environment, or ((secFile)) for a file: ojm opens no repository of OpenAF',
      secPass: "write the secret into a file that only you can read, and name it under ((secFile))",
      secMainPass: "write the secret into a file that only you can read, and name it under ((secFile))",
    },
  },
  convert: {
    doc: "Makes a map or a list of a text.",
    value: text("The key of $get that holds the text, or args. Default: res."),
    options: {
      inFormat: required(word("The format of the text.", "yaml", "json", "ndjson")),
      inPath: text("The path of the text."),
      outKey: text("The key for the result. Default: that of the text."),
      outPath: text("The path for the result. Default: that of the text."),
    },
  },
  query: {
    doc: "Replaces a list by the result of a query.",
    value: required(text("The query: equals(name, 'a').limit(5), or a JMESPath expression.")),
    options: {
      type: word("The language of the query. Default: nlinq, the calls of $from.", "nlinq", "path"),
      key: text("The key of $get that holds the list, or args. Default: res."),
      from: text("The path of the list."),
      to: text("With the key args, the path for the result. Default: ((from))."),
      toKey: text("The key for the result. Default: ((key))."),
    },
  },
  findReplace: {
    doc: "Replaces texts in a text.",
    value: either(
      "What is replaced by what: a map, or the key of $get that holds it.",
      text("The key of $get that holds the map, or args. Default: res."),
      fields("What is replaced by what."),
    ),
    options: {
      path: text("The path of the map."),
      inputKey: text("The key of $get that holds the text, or args."),
      inputPath: text("The path of the text."),
      inputFile: text("The file that holds the text."),
      outputFile: text("The file for the result. Default: the argument `output`."),
      useRegExp: flag("The keys of the map are regular expressions."),
      flagsRegExp: text("The flags of these. Default: g."),
    },
    refused: { logJob: "name the job beside this shortcut" },
  },
  ch: {
    doc: "Works on a channel.",
    value: required(text("The name of the channel.")),
    options: {
      op: required(text("What to do: get, set, unset, getAll, setAll, unsetAll, getKeys or size.")),
      key: text("The key of $get for the result, and for ((kpath)) and ((vpath)), or args. Default: res."),
      k: anything("The key."),
      kpath: text("The path of the key."),
      ks: anything("The fields that are the key, for setAll and unsetAll."),
      v: anything("The value."),
      vpath: text("The path of the value."),
      vs: anything("The values, for setAll and unsetAll."),
    },
    refused: { extra: "leave it out: the channels of ojm take no such argument" },
  },
  fn: {
    doc: "Calls a function with the arguments that have the names of its parameters.",
    value: required(text("The name of the function.")),
    options: {
      key: text("The key of $get for the result, or args. Default: res."),
      path: text("The path of the arguments for it. Default: all arguments."),
      fnPath: text("The path for the result."),
    },
  },
};
