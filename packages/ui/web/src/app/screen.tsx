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
  const [part, name, more] = place.value.parts;
  if (part === undefined) return <NowScreen />;
  if (part === "timeline" && name === undefined) return <TimelineScreen />;
  if (part === "jobs") {
    if (name === undefined) return <JobsScreen />;
    if (more === undefined) return <JobScreen key={name} name={name} />;
    if (more === "why") return <WhyScreen key={name} name={name} />;
  }
  if (part === "runs") return name === undefined ? <RunsScreen /> : <RunScreen key={name} id={name} />;
  if (part === "locks" && name === undefined) return <LocksScreen />;
  if (part === "audit" && name === undefined) return <AuditScreen />;
  return (
    <Full icon="search" title="This page does not exist" alone>
      <p>Press g, then n, for what happens now.</p>
    </Full>
  );
}

/** The largest page, which is loaded when it is shown. */
const timeline = signal<FunctionComponent | "failed" | undefined>(undefined);
let isLoading = false;

function loadTimeline(): void {
  if (isLoading || typeof timeline.peek() === "function") return;
  isLoading = true;
  import("../screens/timeline/timeline.js")
    .then(
      (module) => (timeline.value = module.TimelineScreen),
      () => (timeline.value = "failed"),
    )
    .finally(() => (isLoading = false));
}

function TimelineScreen(): VNode {
  const Component = timeline.value;
  // Not only in an effect: effects wait for the paint of a page that has nothing to show.
  if (Component === undefined) loadTimeline();
  useEffect(loadTimeline, []);
  if (Component === undefined) return <Skeleton rows={6} />;
  if (Component !== "failed") return <Component />;
  return (
    <Full icon="warn" title="A part of these pages could not be loaded" alone>
      <p>The server may have been updated. Reload the page.</p>
    </Full>
  );
}
