/** The hint for names that only the package has, if it is not installed. */
const OF_PACKAGE = 'install @ojm/openaf, and name it under "ojob.loads"';

/** What to write instead of a function or object of OpenAF. */
const INSTEAD: Readonly<Record<string, string>> = {
  _$: OF_PACKAGE,
  __: OF_PACKAGE,
  io: OF_PACKAGE,
  ow: OF_PACKAGE,
  $sh: OF_PACKAGE,
  $rest: OF_PACKAGE,
  $path: OF_PACKAGE,
  $err: OF_PACKAGE,
  printErrnl: OF_PACKAGE,
  tprint: OF_PACKAGE,
  _: "use the methods of lists and maps of JavaScript",
  $sec: 'give the secret as an argument of the command line, marked "secret: true" under "help.expects"',
  $do: OF_PACKAGE,
  $doWait: OF_PACKAGE,
  $await: "use Atomics or a Promise of JavaScript",
  $cache: "keep the value in a channel, $ch(name)",
  $tb: 'use "timeout" under "typeArgs"',
  $as: "use a test of JavaScript",
  $ssh: 'use sh("ssh …")',
  $python: 'write a job with "lang: python"',
  $openaf: "use sh(command)",
  $tree: "use the methods of lists and maps of JavaScript",
  $sql: 'use a package of Node by require("…")',
  logErrnl: "use logErr(message)",
  toNumber: "use Number(value)",
  newJavaArray: "use a list of JavaScript",
  getVersion: OF_PACKAGE,
  getOpenAFPath: OF_PACKAGE,
  getOpenAFJar: "use process.execPath",
  cleanUpThreads: "leave it out: ojm ends the threads",
  addOnOpenAFShutdown: 'write a job with "type: shutdown"',
  ask: OF_PACKAGE,
  askEncrypt: OF_PACKAGE,
  load: OF_PACKAGE,
  loadLib: OF_PACKAGE,
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
  threadBox: 'use "timeout" under "typeArgs"',
  oJobRun: 'write a job with "type: jobs" and the file in "typeArgs.file"',
  oJobRunFile: 'write a job with "type: jobs" and the file in "typeArgs.file"',
  oJobRunJob: OF_PACKAGE,
  $doAll: OF_PACKAGE,
  $doFirst: OF_PACKAGE,
  $doV: OF_PACKAGE,
  askDef: OF_PACKAGE,
  askN: OF_PACKAGE,
  getDistribution: OF_PACKAGE,
  getJavaHome: OF_PACKAGE,
};

/** What to write instead of a field of OpenAF that is missing in an object of ojm. */
const FIELDS: Readonly<Record<string, string>> = {
  "af.encrypt": 'use require("node:crypto")',
  "af.decrypt": 'use require("node:crypto")',
  "af.fromXML": 'use a package of Node by require("…")',
  "af.runFromExternalClass": "there is no Java here: use a package of Node",
};

const WITHOUT: ReadonlySet<string> = new Set(
  `
  $bottleneck $channels $doA2B $fetch $flock $fnDef4Help $fnM $fnM2A $ftp $git
  $gpt $jmespath $jsonrpc $kube $llm $lock $mcp $py $pyExec $pyStart $pyStop $queue $stream $sync
  $throwIfUnDef __con __conAnsi __conStatus __cpucores __expr __flags __ioNIO __JSONformat __logFormat
  __pmIn __pmOut AF Console DB Email GIT HTTP HTTPServer HTTPd JMX ObjPool OpenWrap Pod SMB SNMP
  SQL SSH SVN Threads XLS XML ZIP addOPackRemoteDB alert ask1 askChoose askChooseMultiple   askStruct bcrypt beautifier beep bfprint bfprintErr bprintErr cls compress conReset cprintErrnl
  createDB createDBInMem dumpLog forkOpenAF getCPULoad getChLog   getFromZip getSerialize inherit javaRegExp loadCompiled loadCompiledRequire loadDiff loadHandlebars
  loadJSYAML loadOAFP loadPy logFlush nowTZ oJob oPack oPromise oafp opackExec parallel parallelArray
  pidCheckIn pidCheckOut pods printBars printChart printMD processExpr saveHelp setLog startLog stopLog
  threadBoxCtrlC toEncoding tlognl uncompress watch
  `
    .trim()
    .split(/\s+/),
);

/** What to write instead of a name of OpenAF: "" if nothing is equivalent, `undefined` for other names. */
export function openAfName(name: string, withoutPackages: boolean = false): string | undefined {
  for (const table of [INSTEAD, FIELDS]) {
    if (Object.hasOwn(table, name)) return withoutPackages && table[name] === OF_PACKAGE ? "" : table[name];
  }
  return WITHOUT.has(name) || /^(af|io|ow)\./.test(name) ? "" : undefined;
}
