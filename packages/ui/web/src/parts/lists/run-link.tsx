import type { ComponentChildren, VNode } from "preact";
import { to } from "../../app/router.js";

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
