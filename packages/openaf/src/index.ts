/*
 * The functions of OpenAF for the scripts of ojm job files. `ojob.loads: ["@ojm/openaf"]` makes each of these
 * names global, so it exports only names of OpenAF.
 */

export { _$ } from "./arguments/check.js";
export { $$ } from "./arguments/sigil.js";
export {
  __,
  __pm,
  $atomic,
  $do,
  $do as $doV,
  $doAll,
  $doFirst,
  $doWait,
  $retry,
  $unset,
  ansiStart,
  ansiStart as ansiStop,
  newFn,
  nowNano,
  parallel4Array,
  pForEach,
  repeat,
  sync,
  sync as syncFn,
} from "./control/control.js";
export { hmacSHA1, hmacSHA256, hmacSHA384, hmacSHA512, md5, sha1, sha256, sha384, sha512 } from "./crypto.js";
export {
  arrayContains,
  deleteFromArray,
  isSame as compare,
  quickSort,
  range,
  sortMapKeys,
  splitArray,
  uniqArray,
} from "./data/compare.js";
export {
  $a2m,
  $m2a,
  clone,
  extend,
  flatten,
  fromArray2Obj as $a4m,
  fromObj2Array as $m4a,
  mapArray,
  merge,
  objOrStr,
  searchKeys,
  searchValues,
  splitBySeparator,
  splitBySepWithEnc,
  splitKVBySeparator,
  traverse,
} from "./data/maps.js";
export {
  descType,
  isBoolean,
  isByteArray,
  isDate,
  isDecimal,
  isDefined,
  isInteger,
  isJavaObject,
  isMap,
  isNull,
  isNumber,
  isObject,
  isString,
  isTNumber,
  isUndefined,
  isUUID,
  toBoolean,
} from "./data/types.js";
export { printf as $f, printf as $ft } from "./format/text.js";
export { $rest } from "./http/rest.js";
export { ask, ask as askEncrypt, askDef, askN } from "./io/ask.js";
export { listFilesRecursive } from "./io/info.js";
export { io, isBinaryArray } from "./io/io.js";
export { load, loadLib } from "./io/load.js";
export {
  ioStreamCopy,
  ioStreamRead,
  ioStreamReadBytes,
  ioStreamReadLines,
  ioStreamWrite,
  ioStreamWriteBytes,
} from "./io/streams.js";
export { findRandomOpenPort } from "./net/net.js";
export { af } from "./objects/af.js";
export { oJobRunJob, ow, searchArray } from "./objects/ow.js";
export { $path } from "./path/path.js";
export { ansiColor } from "./print/color.js";
export { printMap } from "./print/map.js";
export { $output as $o, $output } from "./print/output.js";
export {
  $err,
  bprint,
  colorify,
  cprint,
  cprintErr,
  cprintnl,
  log,
  logErr,
  lognl,
  logWarn,
  lprint,
  lprintErr,
  print,
  printErr,
  printErrnl,
  printnl,
  sprint,
  sprintErr,
  sprintErrnl,
  sprintnl,
  tlog,
  tlogErr,
  tlogWarn,
  tprint,
  tprintErr,
  tprintErrnl,
  tprintnl,
  yprint,
  yprintErr,
} from "./print/print.js";
export { printTable } from "./print/table.js";
export { printTree, printTree as printTreeOrS } from "./print/tree.js";
export { visibleLength, visibleLength as ansiLength } from "./print/width.js";
export { $from } from "./query/from.js";
export { $sh, sh } from "./shell/sh.js";
export {
  getDistribution,
  getEnvs,
  getEnvsDef,
  getJavaHome,
  getNumberOfCores,
  getOpenAFPath,
  getPid,
  getVersion,
  pidCheck,
  pidKill,
} from "./shell/system.js";
export { $csv, CSV, toCSV } from "./text/csv.js";
export { jsonParse, parse as $t, parse as templify, stringify } from "./text/texts.js";
