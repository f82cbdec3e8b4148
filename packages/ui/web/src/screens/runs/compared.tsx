import type { VNode } from "preact";
import type { RunDetail, RunItem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { tookText } from "../../format/duration.js";
import { Section } from "../../parts/page.js";
import { Time } from "../../parts/time.js";

interface ComparedProps {
  readonly run: RunDetail;
  /** The last completed run before it. */
  readonly well: RunItem;
}

/** The differences from the last completed run. */
export function Compared({ run, well }: ComparedProps): VNode {
  const pairs: readonly (readonly [string, string, string])[] = [
    ["Took", took(run), took(well)],
    ["Host", run.holder.host, well.holder.host],
    ["Process", `pid ${run.holder.pid}`, `pid ${well.holder.pid}`],
    ["Started by", run.trigger, well.trigger],
  ];
  return (
    <Section
      title="Compared with the last that completed"
      end={
        <a class="link" href={to.run(well.id)}>
          <Time at={well.startTime} />
        </a>
      }
    >
      <table class="grid compared">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden-text">What</span>
            </th>
            <th scope="col">This run</th>
            <th scope="col">Last success</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map(([what, ours, theirs]) => (
            <tr key={what} data-same={ours === theirs}>
              <th scope="row">{what}</th>
              <td>{ours}</td>
              <td>{theirs}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const took = ({ status, duration }: Pick<RunItem, "status" | "duration">): string =>
  duration === undefined ? "–" : tookText(status, duration);
