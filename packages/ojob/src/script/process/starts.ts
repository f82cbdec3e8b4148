/**
 * The code that the process of a script starts with. It reads `{code, file, line, args}` from file descriptor
 * 3, runs the code at its lines of the job file, and writes `{args}` or `{failure}` to 4. The standard output
 * belongs to the script.
 */
export const NODE_START: string = `
const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { code, file, line, args } = JSON.parse(fs.readFileSync(3, "utf8"));
fs.closeSync(3);
const tell = (answer) => {
  const bytes = Buffer.from(JSON.stringify(answer));
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
const fail = (error) => {
  const { value } = asData(error) ?? {};
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(error);
  tell({ failure: isNativeError(error)
    ? { name: String(error.name), message: String(error.message), stack: String(error.stack) }
    : { name: "", message: text, thrown: asData(error) } });
  process.exit(1);
};
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
let done = false;
process.once("beforeExit", () => {
  if (done) tell({ args });
  else fail({ name: "Error", message: "the script waits for what can never come" });
});
(async () => {
  const options = { filename: file, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  const body = "return (async () => {\\n" + code + "\\n})();";
  const run = vm.compileFunction(body, ["args", "require"], { ...options, lineOffset: line - 2 });
  await run.call(globalThis, args, createRequire(path.resolve(file)));
  done = true;
})().catch(fail);
`;

/** The same in Python. */
export const PYTHON_START: string = `
import json, os, sys, traceback
def _start():
    with os.fdopen(3, "rb") as source:
        message = json.loads(source.read().decode("utf-8"))
    def tell(answer):
        data = json.dumps(answer, default=str).encode("utf-8")
        while data:
            data = data[os.write(4, data):]
    args, file = message["args"], message["file"]
    names = {"__name__": "__main__", "__file__": file, "args": args}
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
        tell({"failure": {"name": type(error).__name__, "message": text, "stack": "at " + stack}})
        sys.stdout.flush()
        os._exit(1)
    tell({"args": names["args"]})
_start()
`;
