import { signal } from "@preact/signals";
import type { FunctionComponent, VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Full, Skeleton } from "../parts/pictures.js";
import { AuditScreen } from "../screens/audit/audit.js";
import { JobScreen } from "../screens/jobs/job.js";
import { JobsScreen } from "../screens/jobs/jobs.js";
import { WhyScreen } from "../screens/jobs/why.js";
import { LocksScreen } from "../screens/locks/locks.js";
import { NowScreen } from "../screens/now/now.js";
import { RunScreen } from "../screens/runs/run.js";
import { RunsScreen } from "../screens/runs/runs.js";
import { place } from "./router.js";

/** The page for the current place. */
export function Screen(): VNode {
  const [part, name, more, id] = place.value.parts;
  if (part === undefined) return <NowScreen />;
  if (part === "timeline" && name === undefined) return <TimelineScreen />;
  if (part === "jobs") {
    if (name === undefined) return <JobsScreen />;
    if (more === undefined) return <JobScreen key={name} name={name} />;
    if (more === "why") return <WhyScreen key={name} name={name} />;
  }
  if (part === "runs") return name === undefined ? <RunsScreen /> : <RunScreen key={name} id={name} />;
  if (part === "compare" && name === undefined) return <CompareScreen />;
  if (part === "queues") {
    if (name === undefined) return <QueuesScreen />;
    if (more === undefined) return <QueueScreen key={name} name={name} />;
    if (more === "items" && id !== undefined) return <ItemScreen key={id} queue={name} id={id} />;
  }
  if (part === "locks" && name === undefined) return <LocksScreen />;
  if (part === "audit" && name === undefined) return <AuditScreen />;
  return (
    <Full icon="search" title="This page does not exist" alone>
      <p>Press g, then n, to go to Now.</p>
    </Full>
  );
}

/** A page that is loaded when it is shown. */
function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  const loaded = signal<FunctionComponent<P> | "failed" | undefined>(undefined);
  let isLoading = false;
  const begin = (): void => {
    if (isLoading || typeof loaded.peek() === "function") return;
    isLoading = true;
    load()
      .then(
        (component) => (loaded.value = component),
        () => (loaded.value = "failed"),
      )
      .finally(() => (isLoading = false));
  };
  return (props) => {
    const Component = loaded.value;
    // Not only in an effect: effects wait for the paint of a page that has nothing to show.
    if (Component === undefined) begin();
    useEffect(begin, []);
    if (Component === undefined) return <Skeleton rows={6} />;
    if (Component !== "failed") return <Component {...props} />;
    return (
      <Full icon="warn" title="Part of the UI could not be loaded" alone>
        <p>The server may have been updated. Reload the page.</p>
      </Full>
    );
  };
}

const TimelineScreen = lazy(async () => (await import("../screens/timeline/timeline.js")).TimelineScreen);

const CompareScreen = lazy(async () => (await import("../screens/runs/compare.js")).CompareScreen);

/** The screens of the queues, which only some stores have. */
const queues = () => import("../screens/queues/screens.js");
const QueuesScreen = lazy(async () => (await queues()).QueuesScreen);
const QueueScreen = lazy(async () => (await queues()).QueueScreen);
const ItemScreen = lazy(async () => (await queues()).ItemScreen);
