/** The functions of a script thread of ojm that this package builds on. */
export interface ScriptThread {
  readonly print: (value?: unknown) => void;
  readonly printErr: (value?: unknown) => void;
  readonly printnl: (value?: unknown) => void;
  readonly log: (message: unknown) => void;
  readonly logErr: (message: unknown) => void;
  readonly logWarn: (message: unknown) => void;
  readonly sleep: (ms: number) => void;
  readonly templify: (template: unknown, data?: unknown, helpers?: object) => string;
  readonly jsonParse: (text: unknown, otherwise?: unknown) => unknown;
  readonly stringify: (value: unknown, replacer?: unknown, space?: string | number) => string;
  readonly sh: (command: unknown, options?: unknown) => unknown;
  readonly $set: (key: string, value: unknown) => unknown;
  readonly $job: (name: string, args?: object) => unknown;
  readonly oJobManagerLaunchJob: (name: string, args?: unknown) => unknown;
  readonly toYAML: (value: unknown) => unknown;
  readonly fromYAML: (text: string) => unknown;
}

const scope = globalThis as unknown as Record<string, unknown>;
const { toYAML, fromYAML } = (scope["af"] ?? {}) as Record<string, unknown>;

/** A function of the thread before this package loads: the package has some of the same names. */
function taken(name: string, value: unknown = scope[name]): never {
  const missing = (): never => {
    throw new Error(`${name}() is there only in a script of an ojm job file`);
  };
  return (typeof value === "function" ? value : missing) as never;
}

/** Whether the job is asked to stop, which is not a failure of what the script does. */
export function isStop(error: unknown): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === "CANCELLED";
}

export const thread: ScriptThread = {
  print: taken("print"),
  printErr: taken("printErr"),
  printnl: taken("printnl"),
  log: taken("log"),
  logErr: taken("logErr"),
  logWarn: taken("logWarn"),
  sleep: taken("sleep"),
  templify: taken("templify"),
  jsonParse: taken("jsonParse"),
  stringify: taken("stringify"),
  sh: taken("sh"),
  $set: taken("$set"),
  $job: taken("$job"),
  oJobManagerLaunchJob: taken("oJobManagerLaunchJob"),
  toYAML: taken("af.toYAML", toYAML),
  fromYAML: taken("af.fromYAML", fromYAML),
};
