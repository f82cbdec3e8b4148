let loading: Promise<typeof import("../operator/index.js")> | undefined;

/**
 * The operator's queries and actions on jobs. Loaded at the first use: a program that only runs jobs never
 * needs it.
 */
export function operatorPart(): Promise<typeof import("../operator/index.js")> {
  loading ??= import("../operator/index.js");
  return loading;
}
