import type { JobManager } from "@ojm/core";
import type { Scheduler } from "@ojm/schedule";

/** The server of the cockpit. */
export interface Cockpit {
  readonly url: string;
  close(): Promise<void>;
}

/** The package of the cockpit. Not every copy of the repository has it built. */
const UI: string = "@ojm/ui";

/** Opens the cockpit of a store; resolves to `undefined` if there is none to open. */
export async function openCockpit(manager: JobManager, scheduler: Scheduler): Promise<Cockpit | undefined> {
  try {
    const { serveUi } = (await import(UI)) as {
      serveUi(options: { readonly manager: JobManager; readonly scheduler: Scheduler }): Promise<Cockpit>;
    };
    return await serveUi({ manager, scheduler });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
