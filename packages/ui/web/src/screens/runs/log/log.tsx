import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError } from "../../../api/call.js";
import { number } from "../../../format/duration.js";
import { Section } from "../../../parts/page.js";
import { Empty, Failure, Skeleton } from "../../../parts/pictures.js";
import { countLines } from "./heights.js";
import type { LogModel } from "./log-model.js";
import { LogView } from "./log-view.js";

interface LogProps {
  readonly id: string;
  readonly model: LogModel;
  /** Whether more lines may come. */
  readonly live: boolean;
  /** Whether the run ended in error. */
  readonly failed: boolean;
}

/** The log of a run. */
export function Log({ id, model, live, failed }: LogProps): VNode {
  useEffect(() => {
    if (live) model.follow();
    else model.catchUp();
  }, [model, live]);
  const state = model.state.value;
  // Read to subscribe to changes: the rows are not a signal.
  model.change.value;
  const { lines, missing } = countLines(model.rows);
  const count = missing === 0 ? number(lines) : `${number(lines)}, ${number(missing)} missing`;
  return (
    <Section title="Log" count={model.rows.length === 0 ? undefined : count}>
      {state === "loading" && <Skeleton rows={8} />}
      {state instanceof ApiError && <Failure error={state} />}
      {state === "ready" && model.rows.length === 0 && <NoLines live={live} />}
      {state === "ready" && model.rows.length > 0 && <LogView id={id} model={model} live={live} failed={failed} />}
    </Section>
  );
}

const NoLines = ({ live }: { readonly live: boolean }): VNode =>
  live ? (
    <Empty title="No line yet">What the run writes appears here.</Empty>
  ) : (
    <Empty title="No log is kept">The run wrote no line, or its log was deleted after its time.</Empty>
  );
