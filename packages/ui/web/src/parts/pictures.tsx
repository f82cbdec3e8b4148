import type { ComponentChildren, VNode } from "preact";
import type { ApiError } from "../api/call.js";
import type { Resource } from "../api/resource.js";
import { Icon, type IconName } from "./icon.js";

/** A placeholder until there is an answer. It appears after a moment: a quick answer does not flicker. */
export function Skeleton({ rows }: { readonly rows: number }): VNode {
  return (
    <div class="skeleton" role="status">
      <span class="hidden-text">Loading</span>
      {Array.from({ length: rows }, () => (
        <i />
      ))}
    </div>
  );
}

/** Says that there is nothing, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }): VNode {
  return (
    <div class="empty">
      <b>{title}</b>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

interface FullProps {
  readonly icon: IconName;
  readonly title: string;
  /** Whether the page has no other heading. */
  readonly alone?: boolean;
  readonly children: ComponentChildren;
}

/** Replaces a page that cannot be shown. */
export function Full({ icon, title, alone = false, children }: FullProps): VNode {
  return (
    <div class="full-state" role="status">
      <Icon name={icon} />
      {alone ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  );
}

/** Why a page cannot be shown. */
export function Failure({ error }: { readonly error: ApiError }): VNode {
  if (error.code === "AWAY" && error.status === 503) {
    return (
      <Full icon="away" title="The store is away">
        <p>{error.message}</p>
        <p>Jobs that hold their lock continue until their lease ends. This page retries automatically.</p>
      </Full>
    );
  }
  if (error.isAway) {
    return (
      <Full icon="away" title="The server is away">
        <p>{error.message} Nothing is known of the jobs meanwhile. This page retries automatically.</p>
      </Full>
    );
  }
  if (error.status === 404) {
    return (
      <Full icon="search" title="Not found">
        <p>{error.message}</p>
      </Full>
    );
  }
  return (
    <Full icon="warn" title="This cannot be shown">
      <p>
        {error.message} <span class="dim mono">{error.code}</span>
      </p>
    </Full>
  );
}

interface LoadedProps<T> {
  readonly of: Pick<Resource<T>, "data" | "error">;
  readonly rows?: number;
  readonly children: (data: T) => VNode;
}

/** Shows an answer, its skeleton or its failure. An answer stays when a later call fails. */
export function Loaded<T>({ of: { data, error }, rows = 6, children }: LoadedProps<T>): VNode {
  if (data.value !== undefined) return children(data.value);
  return error.value === undefined ? <Skeleton rows={rows} /> : <Failure error={error.value} />;
}

/** A similar name, if nothing has the requested one. */
export const DidYouMean = ({ name, href }: { readonly name: string; readonly href: string }): VNode => (
  <>
    Did you mean{" "}
    <a class="link" href={href}>
      {name}
    </a>
    ?
  </>
);
