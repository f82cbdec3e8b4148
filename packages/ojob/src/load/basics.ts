/** The file oJobBasics.yaml: jobs that many job files need. It is read like any other file. */
export const BASICS: string = `jobs:
  - name: oJob Start
    help: Logs "init".
    exec: log("init")

  - name: oJob Stop
    help: Logs "done", once oJob Start has run.
    deps: oJob Start
    exec: log("done")

  - name: oJob Shutdown
    help: Logs "done" when the process ends.
    type: shutdown
    deps: oJob Start
    exec: log("done")

  - name: oJob Sleep 1s
    help: Waits for a second.
    exec: sleep(1000)

  - name: oJob Sleep 5s
    help: Waits for five seconds.
    exec: sleep(5000)

  - name: oJob Stringify
    help:
      text: Prints the value of an expression as JSON.
      expects:
        - { name: name, desc: "an expression, for example args or global.totals", required: true }
        - { name: min, desc: "true for JSON in one line" }
    check: { in: { name: isString, min: toBoolean.isBoolean.default(false) } }
    exec: |
      print(stringify(eval(args.name), undefined, args.min ? "" : 2))

  - name: oJob YAML
    help:
      text: Prints the value of an expression as YAML.
      expects:
        - { name: name, desc: "an expression, for example args or global.totals", required: true }
    check: { in: { name: isString } }
    exec: |
      print(af.toYAML(eval(args.name)).replace(/\\n$/, ""))

  - name: oJob Set
    help:
      text: Sets a variable in global.
      expects:
        - { name: name, desc: the name of the variable, required: true }
        - { name: value, desc: its value }
    check: { in: { name: isString } }
    exec: global[args.name] = args.value

  - name: oJob Path Set
    help:
      text: Sets a value within a variable in global.
      expects:
        - { name: name, desc: the name of the variable, required: true }
        - { name: path, desc: "where in it, for example totals.today", required: true }
        - { name: value, desc: the value }
    check: { in: { name: isString, path: isString } }
    exec: |
      const parts = args.path.split(".");
      const last = parts.pop();
      let map = (global[args.name] ??= {});
      for (const part of parts) map = map[part] ??= {};
      map[last] = args.value;

  - name: oJob Sort Array
    help:
      text: Sorts a list in global.
      expects:
        - { name: name, desc: the name of the variable for the sorted list, required: true }
        - { name: srcName, desc: "an expression for the list to sort. Default: the variable itself" }
        - { name: reverse, desc: true for the other direction }
    check: { in: { name: isString, srcName: isString.default(__), reverse: toBoolean.isBoolean.default(false) } }
    exec: |
      const sorted = [...(args.srcName === undefined ? global[args.name] : eval(args.srcName))].sort();
      global[args.name] = args.reverse ? sorted.reverse() : sorted;

  - name: oJob From global
    help:
      text: Adds the fields of a map in global to the arguments.
      expects:
        - { name: global, desc: the name of the variable, required: true }
    check: { in: { global: isString } }
    exec: Object.assign(args, merge(args, global[args.global]))

  - name: oJob Args from JSON
    help:
      text: Adds what a JSON file holds to the arguments.
      expects:
        - { name: file, desc: the file, required: true }
        - { name: global, desc: "the name of a variable in global to add it to instead" }
    check: { in: { file: isString, global: isString.default(__) } }
    exec: |
      const data = JSON.parse(require("node:fs").readFileSync(args.file, "utf8"));
      if (args.global === undefined) Object.assign(args, merge(args, data));
      else global[args.global] = merge(global[args.global] ?? {}, data);

  - name: oJob Args from YAML
    help:
      text: Adds what a YAML file holds to the arguments.
      expects:
        - { name: file, desc: the file, required: true }
        - { name: global, desc: "the name of a variable in global to add it to instead" }
    check: { in: { file: isString, global: isString.default(__) } }
    exec: |
      const data = af.fromYAML(require("node:fs").readFileSync(args.file, "utf8"));
      if (args.global === undefined) Object.assign(args, merge(args, data));
      else global[args.global] = merge(global[args.global] ?? {}, data);

  - name: oJob sh
    help:
      text: Runs shell commands.
      expects:
        - { name: cmd, desc: "a command, or a list of them that runs until one fails", required: true }
        - { name: quiet, desc: true to show nothing of what they write }
        - { name: directory, desc: the folder in which they run }
        - { name: stdin, desc: what they read }
        - { name: exitcode, desc: "the exit code that means success. Default: 0" }
        - { name: prefix, desc: what to put before each line that is shown }
        - { name: prefixLog, desc: true to log these lines instead of printing them }
      returns:
        - { name: stdout, desc: what they wrote to their normal output }
        - { name: stderr, desc: what they wrote to their error output }
    exec: |
      if (args.cmd === undefined) throw new Error('oJob sh needs "cmd" among the args: a command, or a list of them');
      args.stdout = args.stderr = "";
      const prefixed = args.prefix !== undefined && !args.quiet;
      for (const command of [args.cmd].flat()) {
        const { directory, stdin } = args;
        const result = sh(command, { directory, stdin, quiet: args.quiet || prefixed });
        args.stdout += result.stdout;
        args.stderr += result.stderr;
        const lines = prefixed ? result.stdout.replace(/\\n$/, "").split("\\n") : [];
        for (const line of lines) (args.prefixLog ? log : print)(args.prefix + " | " + line);
        const wanted = args.exitcode ?? 0;
        if (result.exitcode !== wanted) throw new Error("exit code " + result.exitcode + " of: " + command);
      }
`;
