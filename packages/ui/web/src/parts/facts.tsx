import type { ComponentChildren, VNode } from "preact";
import type { AuditEntry, HolderView, WaiterView } from "../api/types.js";
import { to } from "../app/router.js";
import { useSteady } from "./steady/height.js";
import { Elapsed } from "./time.js";

/** A list of facts. */
export const Facts = ({ children }: { readonly children: ComponentChildren }): VNode => (
  <dl class="facts" ref={useSteady()}>
    {children}
  </dl>
);

/** A fact: its name and its value. Renders nothing without a value. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }): VNode | null {
  if (children === undefined || children === null || children === false) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The process that runs a job. */
export const Holder = ({ holder: { host, pid, instance } }: { readonly holder: HolderView }): VNode => (
  <span title={`instance ${instance}`}>
    {host} <span class="dim">pid {pid}</span>
  </span>
);

/** The author of an action: the user, or the process if it did not name one. */
export const whoText = ({ by, author }: Pick<AuditEntry, "by" | "author">): string => author ?? processText(by);

/** The name of the job of a run, from its id; another text as it is. */
export const jobOfRun = (id: string): string => id.replace(/@[+-]?\d{4,6}-\d\d-\d\dT[^@]*$/, "");

/** How far something is, from 0 to 1. */
export const Meter = ({ share }: { readonly share: number }): VNode => (
  <span
    class="meter"
    role="progressbar"
    aria-label="Progress"
    aria-valuenow={Math.round(share * 100)}
    aria-valuemin={0}
    aria-valuemax={100}
  >
    <i style={{ width: `${share * 100}%` }} />
  </span>
);

/** A process as text. */
export const processText = ({ host, pid }: HolderView): string => `${host}, pid ${pid}`;

interface JobLinkProps {
  readonly name: string;
  readonly cut?: boolean;
  /** Whether it is the main link of its row. */
  readonly row?: boolean;
}

/** The name of a job as a link to it. */
export const JobLink = ({ name, cut = false, row = true }: JobLinkProps): VNode => (
  <a class={cut ? "name cut" : "name"} href={to.job(name)} data-row={row || undefined}>
    {name}
  </a>
);

interface RunLinkProps {
  /** The id of the run; without it, there is no link. */
  readonly run: string | undefined;
  /** Whether it is the main link of its row. */
  readonly row?: boolean;
  readonly children: ComponentChildren;
}

/** A time or a state as a link to its run. On every page, a name links to its job. */
export function RunLink({ run, row = false, children }: RunLinkProps): VNode {
  if (run === undefined) return <>{children}</>;
  return (
    <a class="to-run" href={to.run(run)} data-row={row || undefined}>
      {children}
    </a>
  );
}

/** The processes that wait for a lock, in the order in which they get it. `n`: the number of all waiters. */
export function Waiters({ waiters, n }: { readonly waiters: readonly WaiterView[]; readonly n: number }): VNode {
  const more = n - waiters.length;
  return (
    <span class="waiters dim">
      {waiters.map((waiter, place) => (
        // One process may wait several times.
        <span key={`${waiter.instance} ${place}`}>
          <Holder holder={waiter} />
          {waiter.since !== undefined && (
            <>
              {" for "}
              <Elapsed since={waiter.since} />
            </>
          )}
        </span>
      ))}
      {more > 0 && waiters.length > 0 && <span>{more} more</span>}
    </span>
  );
}
