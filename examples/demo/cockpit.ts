import type { JobManager } from "@ojm/core";
import type { Scheduler } from "@ojm/schedule";

/** The server of the UI. */
export interface Cockpit {
  readonly url: string;
  close(): Promise<void>;
}

/** The package of the UI. It is not built in every copy of the repository. */
const UI: string = "@ojm/ui";

/** Opens the UI of a store. Resolves to `undefined` if the package is not built. */
export async function openCockpit(manager: JobManager, scheduler: Scheduler): Promise<Cockpit | undefined> {
  try {
    const { openUiServer } = (await import(UI)) as {
      openUiServer(options: { readonly manager: JobManager; readonly scheduler: Scheduler }): Promise<Cockpit>;
    };
    return await openUiServer({ manager, scheduler });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
