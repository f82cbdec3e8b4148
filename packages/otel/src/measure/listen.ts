import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Events } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";

/** All events of ojm that are published in a process. */
type AllEvents = Events & {
  readonly "ojm:tick": Pick<ScheduleTick, "schedule" | "at" | "outcome" | "reason" | "count">;
  readonly "ojm:schedule:added": { readonly schedule: string };
};

/** Listens to the events of this process. Call the result to stop. */
export function listen(listeners: { readonly [K in keyof AllEvents]?: (event: AllEvents[K]) => void }): () => void {
  const all = Object.entries(listeners).map(([name, listener]) => {
    const onEvent = listener as (event: unknown) => void;
    subscribe(name, onEvent);
    return () => unsubscribe(name, onEvent);
  });
  return () => {
    for (const stop of all) stop();
  };
}
