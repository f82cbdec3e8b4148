let loading: Promise<typeof import("../operator/index.js")> | undefined;

/**
 * What people ask of the jobs and do with them. It is loaded when it is used for the first time: a program
 * that only runs jobs never needs it.
 */
export function operatorPart(): Promise<typeof import("../operator/index.js")> {
  loading ??= import("../operator/index.js");
  return loading;
}
