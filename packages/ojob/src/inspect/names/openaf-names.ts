/** The hint for names that only the package has, if it is not installed. */
const OF_PACKAGE = 'install @ojm/openaf, and name it under "ojob.loads"';

/**
 * What to write instead of a function or object of OpenAF, or a field that an object of ojm does not have.
 */
const INSTEAD: Readonly<Record<string, string>> = {
  ...each(
    OF_PACKAGE,
    `_$ __ io ow $sh $rest $path $err printErrnl tprint $do $doWait getVersion getOpenAFPath ask askEncrypt
    load loadLib oJobRunJob $doAll $doFirst $doV askDef askN getDistribution getJavaHome`,
  ),
  ...each("use the methods of lists and maps of JavaScript", "_ $tree"),
  ...each('use "timeout" under "typeArgs"', "$tb threadBox"),
  ...each("there is no Java here: use a package of Node", "loadExternalJars plugin af.runFromExternalClass"),
  ...each("oPacks cannot be loaded: use a package of Node", "includeOPack getOPackPath getOPackPaths"),
  ...each("there is no Java here: use what Node has, or a package of Node", "java javax Packages"),
  ...each('write a job with "type: jobs" and the file in "typeArgs.file"', "oJobRun oJobRunFile"),
  $sec: 'give the secret as an argument of the command line, marked "secret: true" under "help.expects"',
  $await: "use Atomics or a Promise of JavaScript",
  $cache: "keep the value in a channel, $ch(name)",
  $as: "use a test of JavaScript",
  $ssh: 'use sh("ssh …")',
  $python: 'write a job with "lang: python"',
  $openaf: "use sh(command)",
  ...each('use a package of Node by require("…")', "$sql af.fromXML"),
  ...each('use require("node:crypto")', "af.encrypt af.decrypt"),
  logErrnl: "use logErr(message)",
  toNumber: "use Number(value)",
  newJavaArray: "use a list of JavaScript",
  getOpenAFJar: "use process.execPath",
  cleanUpThreads: "leave it out: ojm ends the threads",
  addOnOpenAFShutdown: 'write a job with "type: shutdown"',
  loadCompiledLib: 'name the file under "ojob.loads", or use require("./file.js")',
  loadLodash: 'use require("lodash"), once it is installed',
  loadUnderscore: 'use require("underscore"), once it is installed',
};

/** The same advice for several names. */
function each(advice: string, names: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, advice]));
}

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
  if (Object.hasOwn(INSTEAD, name)) return withoutPackages && INSTEAD[name] === OF_PACKAGE ? "" : INSTEAD[name];
  return WITHOUT.has(name) || /^(af|io|ow)\./.test(name) ? "" : undefined;
}
