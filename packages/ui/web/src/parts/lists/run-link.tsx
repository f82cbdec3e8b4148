import type { ComponentChildren, VNode } from "preact";
import { to } from "../../app/router.js";

interface RunLinkProps {
  /** The id of the run; without it, there is no link. */
  readonly run: string | undefined;
  /** Whether it is what its row leads to. */
  readonly row?: boolean;
  readonly children: ComponentChildren;
}

/** A time or a state as the link to its run. On every screen, a name leads to its job. */
export function RunLink({ run, row = false, children }: RunLinkProps): VNode {
  if (run === undefined) return <>{children}</>;
  return (
    <a class="to-run" href={to.run(run)} data-row={row || undefined}>
      {children}
    </a>
  );
}
