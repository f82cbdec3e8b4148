let folder: string | undefined;

/** Sets the folder of the job at work. */
export function setFolder(path: unknown): void {
  folder = typeof path === "string" ? path : undefined;
}

/**
 * The folder in which the job at work runs: its `typeArgs.pwd`, or that of the process. A thread has no
 * working directory of its own, so functions that take relative paths ask here.
 */
export function jobFolder(): string {
  return folder ?? process.cwd();
}
