/** For backend authors: the conformance suite, and what you need to describe a backend to it. */

export type { Case, CaseGroup } from "./case/case.js";
export { CaseContext } from "./case/context.js";
export type { Profile } from "./case/profile.js";
export { groups } from "./cases/index.js";
export { type FolderHarness, inFolder } from "./harness/folder.js";
export { harnessOf } from "./harness/from-type.js";
export type {
  CallersTransaction,
  Capability,
  Facility,
  Fault,
  Faults,
  Harness,
  Heal,
  OpenOptions,
  RemoteClient,
  TestStore,
} from "./harness/harness.js";
export { ManualClock } from "./harness/manual-clock.js";
export { oneClient } from "./harness/one-client.js";
export { onServer, type RunningServer, type ServerHarness } from "./harness/server.js";
export { bursts, http2Requests, type RequestCounter } from "./proxy/counters.js";
export { type ServerOptions, ServerProcess } from "./proxy/server-process.js";
export { type ProxyOptions, TcpProxy } from "./proxy/tcp-proxy.js";
export { type RegisterOptions, type Runner, register } from "./run/register.js";
export { type CaseResult, isGood, type Outcome, type RunReport, tally } from "./run/result.js";
export { run, type SuiteOptions } from "./run/run.js";
export { runCase } from "./run/run-case.js";
export { table } from "./run/table.js";
