/** The parameters that OpenAF documents for functions that ojm has too. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  $get: ["aKey"],
  $job: ["aJob", "args"],
  $set: ["aKey", "aValue"],
  "af.fromYAML": ["aYaml"],
  "af.toYAML": ["aJson"],
  clone: ["anObject"],
  genUUID: [],
  getEnv: ["anEnvironmentVariable"],
  jsonParse: ["aString", "alternative"],
  log: ["msg"],
  logErr: ["msg"],
  logWarn: ["msg"],
  merge: ["anObjectA", "anObjectB"],
  now: [],
  nowUTC: [],
  print: ["aStr"],
  printErr: ["aStr"],
  printnl: ["aStr"],
  sleep: ["millis"],
  sprint: ["aStr"],
  stringify: ["anObject", "replacer", "space"],
  templify: ["aTemplateString", "someData"],
};

/**
 * The script that calls a function with the arguments that have the names of its parameters. These are those
 * that OpenAF documents, those that the function itself tells by a list `parameters`, or those of its source.
 */
export function functionScript(name: string): string {
  const known = Object.hasOwn(PARAMETERS, name) ? JSON.stringify(PARAMETERS[name]) : "undefined";
  return `
    if (typeof ${name} !== "function") throw new TypeError("(fn): ${name} is no function");
    const source = Function.prototype.toString.call(${name});
    const [, list = ""] = /^(?:async\\s*)?(?:function\\b[^(]*|[\\w$]+\\s*)?\\(([^)]*)\\)/.exec(source)
      ?? /^(?:async\\s+)?([\\w$]+)\\s*=>/.exec(source) ?? [];
    const written = list.split(",").map((one) => one.replace(/=[^]*$/, "").replace("...", "").trim()).filter(Boolean);
    const names = ${known} ?? ${name}.parameters ?? written;
    const given = names.map((one) => args[one]);
    while (given.length > 0 && given.at(-1) === undefined) given.pop();
    if (given.length === 0 && names.length > 0) {
      throw new TypeError("(fn): ${name} takes " + names.join(", ") + ", and none of these is among the arguments");
    }
    return ${name}(...given);`;
}
