import type { ComponentChildren, VNode } from "preact";
import type { AuditEntry, HolderView } from "../api/types.js";
import { useSteady } from "./steady/height.js";

/** A list of facts. */
export const Facts = ({ children }: { readonly children: ComponentChildren }): VNode => (
  <dl class="facts" ref={useSteady()}>
    {children}
  </dl>
);

/** A fact: its name and its value. Renders nothing without a value. */
export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): VNode | null {
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
export const whoText = ({ by, author }: Pick<AuditEntry, "by" | "author">): string =>
  author ?? `${by.host}, pid ${by.pid}`;
