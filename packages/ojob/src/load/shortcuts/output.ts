import { anything, flag, required, text, word } from "../shape.js";
import type { ShortcutShape } from "./shape.js";

const key = text("The key of $get that holds the data, or args. Default: res, and without it args.");
const path = text("A path in the data, or a JMESPath expression.");

/** Shortcuts that show or write something. */
export const OUTPUT: Readonly<Record<string, ShortcutShape>> = {
  output: {
    doc: "Prints data.",
    value: key,
    options: {
      path,
      format: text("json, prettyjson, yaml, ndjson, table or text. Default: the argument `__format`, or yaml."),
      title: text("The name for the data as a whole."),
      internal: flag("No effect: ojm puts no fields of its own into arguments."),
    },
    refused: { function: "write (print) or (log)" },
  },
  print: {
    doc: "Prints a text. Templates in it are filled.",
    value: required(text("The text.")),
    options: { key, path, level: word("Where to: error is the error output.", "info", "error") },
  },
  printmd: {
    doc: "Prints a text in Markdown, as it is written. Templates in it are filled from the arguments.",
    value: required(text("The text.")),
    options: { outputMD: flag("No effect: Markdown is never rendered.") },
  },
  log: {
    doc: "Logs a text. Templates in it are filled.",
    value: required(text("The text.")),
    options: { key, path, level: word("The level.", "info", "warn", "error") },
    refused: { options: 'write "log" under "ojob"' },
  },
  debug: {
    doc: "Logs the arguments, and what $get has under res. Secrets are masked.",
    value: anything("No effect."),
    options: {},
  },
  template: {
    doc: "Fills a template of Handlebars.",
    value: text("The template."),
    options: {
      templateFile: text("The file that holds the template."),
      tpath: text("The path of the template in ((key))."),
      data: anything("The data."),
      dataFile: text("The YAML or JSON file that holds the data."),
      dpath: text("The path of the data in ((key))."),
      key: text("The key of $get that holds the data, and a template without text, or args. Default: res."),
      outputFile: text("The file for the result."),
      out: text("The key for the result, under `output`, or args. Default: res."),
      outPath: text("The path for the result."),
    },
  },
};
