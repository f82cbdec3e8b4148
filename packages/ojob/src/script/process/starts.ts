/**
 * The code with which the process of a script starts. It reads `{code, file, line, args, name}` from file
 * descriptor 3, and runs the code at its lines of the job file. To 4 it writes a line for each call of
 * `job.log` and `job.progress`, and at the end `{args}` or `{failure}`. The standard output belongs to the
 * script.
 */
export const NODE_START: string = `
const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { code, file, line, args, name } = JSON.parse(fs.readFileSync(3, "utf8"));
fs.closeSync(3);
const send = (answer, end = "") => {
  const bytes = Buffer.from(JSON.stringify(answer) + end);
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(4, bytes, at);
};
const { isNativeError } = require("node:util").types;
const asData = (value) => {
  try {
    return JSON.parse(JSON.stringify({ value }));
  } catch {
    return undefined;
  }
};
const inWords = (value) => {
  if (isNativeError(value)) return String(value.stack);
  if (typeof value !== "object" || value === null) return String(value);
  return asData(value) === undefined ? String(value) : JSON.stringify(value);
};
const log = (level) => (text, fields) => {
  const message = fields === undefined ? inWords(text) : inWords(text) + " " + inWords(fields);
  send({ level, message, time: Date.now() }, "\\n");
};
const job = {
  name,
  log: { debug: log("DEBUG"), info: log("INFO"), warn: log("WARN"), error: log("ERROR") },
  progress(done, total, text) {
    if (!Number.isFinite(done)) return;
    const more = { ...(Number.isFinite(total) && { total }), ...(text != null && { text: String(text) }) };
    send({ done, ...more }, "\\n");
  },
};
const causeOf = ({ cause }) => {
  const first = isNativeError(cause) && (cause.message || cause.errors?.[0]?.message || cause.code);
  return first ? { cause: String(first).slice(0, 300) } : {};
};
const fail = (error) => {
  const { value } = asData(error) ?? {};
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(error);
  send({ failure: isNativeError(error)
    ? { name: String(error.name), message: String(error.message), stack: String(error.stack), ...causeOf(error) }
    : { name: "", message: text, thrown: asData(error) } });
  process.exit(1);
};
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
let done = false;
process.once("beforeExit", () => {
  if (done) send({ args });
  else fail({ name: "Error", message: "the script waits for something that can never happen" });
});
(async () => {
  const options = { filename: file, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  const body = "return (async () => {\\n" + code + "\\n})();";
  const run = vm.compileFunction(body, ["args", "require", "job"], { ...options, lineOffset: line - 2 });
  await run.call(globalThis, args, createRequire(path.resolve(file)), job);
  done = true;
})().catch(fail);
`;

/** The same in Python. */
export const PYTHON_START: string = `
import json, os, sys, time, traceback
from types import SimpleNamespace
def _start():
    with os.fdopen(3, "rb") as source:
        message = json.loads(source.read().decode("utf-8"))
    def send(answer, end=""):
        data = (json.dumps(answer, default=str) + end).encode("utf-8")
        while data:
            data = data[os.write(4, data):]
    def in_words(value):
        compact = (",", ":")
        return json.dumps(value, default=str, separators=compact) if isinstance(value, (dict, list)) else str(value)
    def log(level):
        def line(text, fields=None):
            shown = in_words(text) if fields is None else in_words(text) + " " + in_words(fields)
            send({"level": level, "message": shown, "time": int(time.time() * 1000)}, "\\n")
        return line
    def progress(done, total=None, text=None):
        more = {"total": total, "text": None if text is None else str(text)}
        send({"done": done, **{key: value for key, value in more.items() if value is not None}}, "\\n")
    levels = {level.lower(): log(level) for level in ("DEBUG", "INFO", "WARN", "ERROR")}
    job = SimpleNamespace(name=message["name"], log=SimpleNamespace(**levels), progress=progress)
    args, file = message["args"], message["file"]
    names = {"__name__": "__main__", "__file__": file, "args": args, "job": job}
    try:
        exec(compile("\\n" * (message["line"] - 1) + message["code"], file, "exec"), names)
    except SystemExit:
        raise
    except BaseException as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        if isinstance(error, SyntaxError) and error.filename == file:
            lines = [error.lineno]
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        stack = "" if not lines else "%s:%d:1" % (file, lines[-1])
        send({"failure": {"name": type(error).__name__, "message": text, "stack": "at " + stack}})
        sys.stdout.flush()
        os._exit(1)
    send({"args": names["args"]})
_start()
`;
