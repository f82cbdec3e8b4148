/** What to write instead of a function or object of OpenAF. */
const INSTEAD: Readonly<Record<string, string>> = {
  _$: 'check the arguments by "check.in" of the job',
  __: "write undefined",
  _: "use the methods of lists and maps of JavaScript",
  io: 'use require("node:fs")',
  ow: 'use a package of Node by require("…")',
  $sh: "use sh(command), which returns {stdout, stderr, exitcode}",
  $rest: "use await fetch(address)",
  $t: "use templify(template, data)",
  $f: "use a template string of JavaScript",
  $path: "use $from(list) or the methods of lists of JavaScript",
  $sec: 'give the secret as an argument of the command line, marked "secret: true" under "help.expects"',
  $do: "use a Promise of JavaScript, and await it",
  $doWait: "await the Promise",
  $await: "use Atomics or a Promise of JavaScript",
  $atomic: "keep the value in a channel, $ch(name)",
  $cache: "keep the value in a channel, $ch(name)",
  $retry: "write a loop with try and catch",
  $tb: 'use "timeout" under "typeArgs"',
  $err: "use printErr(error.stack)",
  $as: "use a test of JavaScript",
  $ssh: 'use sh("ssh …")',
  $python: 'write a job with "lang: python"',
  $openaf: "use sh(command)",
  $tree: "use the methods of lists and maps of JavaScript",
  $csv: 'use a package of Node by require("…")',
  $sql: 'use a package of Node by require("…")',
  printErrnl: "use process.stderr.write(text)",
  tprint: "use print(templify(template, data))",
  tprintErr: "use printErr(templify(template, data))",
  tlog: "use log(templify(template, data))",
  tlogErr: "use logErr(templify(template, data))",
  tlogWarn: "use logWarn(templify(template, data))",
  cprint: "use sprint(value)",
  yprint: "use print(af.toYAML(value))",
  printTable: "use console.table(list)",
  printMap: "use sprint(value)",
  printTree: "use sprint(value)",
  lognl: "use log(message)",
  logErrnl: "use logErr(message)",
  toBoolean: 'use "toBoolean" in "check.in" of the job, or compare with "true"',
  toNumber: "use Number(value)",
  isObject: "use isMap(value)",
  isBoolean: 'use typeof value === "boolean"',
  isInteger: "use Number.isInteger(value)",
  isDate: "use value instanceof Date",
  isByteArray: "use Buffer.isBuffer(value)",
  isDecimal: "use Number.isFinite(value) && !Number.isInteger(value)",
  ioStreamReadLines: 'use require("node:readline")',
  listFilesRecursive: 'use require("node:fs").readdirSync(path, { recursive: true })',
  newJavaArray: "use a list of JavaScript",
  exit: "throw an error to fail the job; process.exit() ends its thread only",
  getVersion: "use process.version, the version of Node",
  getOpenAFPath: "use process.execPath",
  getOpenAFJar: "use process.execPath",
  cleanUpThreads: "leave it out: ojm ends the threads",
  addOnOpenAFShutdown: 'write a job with "type: shutdown"',
  bprint: "use print(value)",
  ansiColor: 'use require("node:util").styleText(style, text)',
  ansiStart: "leave it out",
  ansiStop: "leave it out",
  traverse: "walk the fields with Object.entries(value)",
  searchKeys: "walk the fields with Object.entries(value)",
  searchValues: "walk the fields with Object.entries(value)",
  uniqArray: "use [...new Set(list)]",
  range: "use Array.from({ length: n }, (_, i) => i)",
  deepEquals: 'use require("node:util").isDeepStrictEqual(a, b)',
  compare: 'use require("node:util").isDeepStrictEqual(a, b)',
  sha1: 'use require("node:crypto").createHash("sha1")',
  sha256: 'use require("node:crypto").createHash("sha256")',
  sha512: 'use require("node:crypto").createHash("sha512")',
  md5: 'use require("node:crypto").createHash("md5")',
  toBase64: 'use Buffer.from(text).toString("base64")',
  fromBase64: 'use Buffer.from(text, "base64")',
  nowNano: "use process.hrtime.bigint()",
  ask: 'take the value as an argument: "help.expects" names it',
  askEncrypt: 'take the value as an argument: "help.expects" names it',
  load: 'name the file under "ojob.loads", or use require("./file.js")',
  loadLib: 'name the file under "ojob.loads", or use require("./file.js")',
  loadExternalJars: "there is no Java here: use a package of Node",
  loadCompiledLib: 'name the file under "ojob.loads", or use require("./file.js")',
  loadLodash: 'use require("lodash"), once it is installed',
  loadUnderscore: 'use require("underscore"), once it is installed',
  includeOPack: "oPacks cannot be loaded: use a package of Node",
  getOPackPath: "oPacks cannot be loaded: use a package of Node",
  getOPackPaths: "oPacks cannot be loaded: use a package of Node",
  plugin: "there is no Java here: use a package of Node",
  java: "there is no Java here: use what Node has, or a package of Node",
  javax: "there is no Java here: use what Node has, or a package of Node",
  Packages: "there is no Java here: use what Node has, or a package of Node",
  sync: "leave it out: a script has a thread of its own",
  syncFn: "leave it out: a script has a thread of its own",
  threadBox: 'use "timeout" under "typeArgs"',
  oJobRun: 'write a job with "type: jobs" and the file in "typeArgs.file"',
  oJobRunFile: 'write a job with "type: jobs" and the file in "typeArgs.file"',
  oJobRunJob: "use $job(name, args)",
};

/** What to write instead of a field of an object that ojm has, but without that field. */
const FIELDS: Readonly<Record<string, string>> = {
  "af.toSLON": "use stringify(value)",
  "af.fromSLON": "write the text as JSON, and use jsonParse(text)",
  "af.eval": "use a function",
  "af.encrypt": 'use require("node:crypto")',
  "af.decrypt": 'use require("node:crypto")',
  "af.fromXML": 'use a package of Node by require("…")',
  "af.fromXML2Obj": 'use a package of Node by require("…")',
  "af.fromJSSLON": "use jsonParse(text)",
  "af.toCSLON": "use stringify(value)",
  "af.fromString2Bytes": "use Buffer.from(text)",
  "af.fromBytes2String": "use String(bytes)",
  "af.fromInputStream2String": 'use require("node:fs")',
  "af.runFromExternalClass": "there is no Java here: use a package of Node",
};

/** Names of OpenAF without anything here that does the same. */
const WITHOUT: ReadonlySet<string> = new Set(
  `
  $$ $a2m $a4m $bottleneck $channels $doA2B $doAll $doFirst $doV $fetch $flock $fnDef4Help $fnM
  $fnM2A $ft $ftp $git $gpt $jmespath $jsonrpc $kube $llm $lock $m2a $m4a $mcp $o $output $py
  $pyExec $pyStart $pyStop $queue $stream $sync $throwIfUnDef $unset __con __conAnsi __conStatus
  __cpucores __expr __flags __ioNIO __JSONformat __logFormat __pm __pmIn __pmOut AF CSV Console DB
  Email GIT HTTP HTTPServer HTTPd JMX ObjPool OpenWrap Pod SMB SNMP SQL SSH SVN Threads XLS XML
  ZIP addOPackRemoteDB alert ansiLength arrayContains ask1 askChoose askChooseMultiple askDef askN
  askStruct bcrypt beautifier beep bfprint bfprintErr bprintErr cls colorify compress conReset
  cprintErr cprintErrnl cprintnl createDB createDBInMem deleteFromArray descType dumpLog extend
  findRandomOpenPort flatten forkOpenAF getCPULoad getChLog getDistribution getEnvs getEnvsDef
  getFromZip getNumberOfCores getPid getSerialize hmacSHA256 inherit ioStreamCopy ioStreamRead
  ioStreamReadBytes ioStreamWrite ioStreamWriteBytes isDefined isTNumber isUUID isUndefined
  javaRegExp loadCompiled loadCompiledRequire loadDiff loadHandlebars loadJSYAML loadOAFP loadPy
  logFlush lprint mapArray newFn nowTZ oJob oPack oPromise oafp objOrStr opackExec pForEach
  parallel parallel4Array parallelArray pidCheck pidCheckIn pidCheckOut pidKill pods printBars
  printChart printMD printTreeOrS processExpr quickSort repeat saveHelp setLog sortMapKeys
  splitArray splitBySepWithEnc splitBySeparator splitKVBySeparator sprintErr sprintErrnl sprintnl
  startLog stopLog threadBoxCtrlC toCSV toEncoding tprintErrnl tprintnl tlognl uncompress
  visibleLength watch yprintErr
  `
    .trim()
    .split(/\s+/),
);

/**
 * What to write instead of a name of OpenAF. Empty if there is nothing; `undefined` if it is no such name.
 */
export function openAfName(name: string): string | undefined {
  for (const table of [INSTEAD, FIELDS]) if (Object.hasOwn(table, name)) return table[name];
  return WITHOUT.has(name) || name.startsWith("af.") ? "" : undefined;
}
