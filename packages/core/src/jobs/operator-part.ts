let loading: Promise<typeof import("../operator/index.js")> | undefined;

/** The operator's queries and actions, loaded at the first use: programs that only run jobs need none. */
export function operatorPart(): Promise<typeof import("../operator/index.js")> {
  loading ??= import("../operator/index.js");
  return loading;
}
