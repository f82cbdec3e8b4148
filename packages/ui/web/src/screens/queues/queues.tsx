import type { VNode } from "preact";
import "../../css/queues.css";
import { queryOf } from "../../api/call.js";
import type { Queues, QueueView } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { count, number } from "../../format/duration.js";
import { MAINTENANCE, problemOf, type State } from "../../format/states.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { numeric, Page } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark, toned } from "../../parts/state.js";
import { Elapsed, Time } from "../../parts/time.js";

const LIMIT = 50;

/** How many items of a state a list counts. */
const COUNTED = 1_000;

/** No watch covers the items of a queue, so the pages read them every 3 s. */
export const EVERY = 3_000;

/** A number of items. `1,000+`: there are more than were counted. */
export const itemsText = (n: number, counted: number): string => `${number(n)}${n >= counted ? "+" : ""}`;

const HEADS: readonly (string | VNode)[] = [
  "Queue",
  numeric("Waiting"),
  <th scope="col" title="How long the oldest of the counted items has waited">
    Oldest waits for
  </th>,
  numeric("Delayed"),
  numeric("Active"),
  numeric("Dead"),
  "Workers",
];

/** All queues: how many items they have, and who handles them. */
export function QueuesScreen(): VNode {
  const q = place.value.query.get("q") ?? "";
  return (
    <Page title="Queues" end={<FindField label="Find a queue" />}>
      <Paged<Queues, QueueView>
        path={(after) => `queues${queryOf({ limit: LIMIT, after, q })}`}
        next={({ queues, more }) => (more ? queues.at(-1)?.name : undefined)}
        items={({ queues }) => queues}
        row={(queue) => <Row key={queue.name} queue={queue} />}
        table={{ class: "grid cards", heads: HEADS }}
        options={{ names: [], every: EVERY }}
        empty={() =>
          q === "" ? (
            <Empty title="No queue is known yet">A queue appears here once a program defines it or adds an item.</Empty>
          ) : (
            <Empty title={`No queue matches “${q}”`} />
          )
        }
      />
    </Page>
  );
}

function Row({ queue }: { readonly queue: QueueView }): VNode {
  const { name, waiting, delayed, active, dead, oldest } = queue;
  const cell = (head: string, n: number, tone?: State["tone"]): VNode => (
    <td class="num" data-label={head}>
      {n === 0 ? <span class="dim">0</span> : <span {...(tone && toned(tone))}>{itemsText(n, COUNTED)}</span>}
    </td>
  );
  return (
    <tr>
      <th scope="row" class="main-cell">
        <a class="name" href={to.queue(name)} data-row>
          {name}
        </a>
        <Paused paused={queue.paused} />
      </th>
      {cell("Waiting", waiting)}
      <td data-label="Oldest waits for">
        {oldest === undefined ? <span class="dim">–</span> : <Elapsed since={oldest} />}
      </td>
      {cell("Delayed", delayed)}
      {cell("Active", active)}
      {cell("Dead", dead, "failed")}
      <td data-label="Workers">
        <Workers queue={queue} />
      </td>
    </tr>
  );
}

/** Who paused a queue, or started the maintenance that covers it, why, and until when. If both: both. */
function Paused({ paused }: { readonly paused: QueueView["paused"] | undefined }): VNode | null {
  if (paused === undefined) return null;
  const { by, reason, until, maintenance, also } = paused;
  return (
    <>
      <span class="under pair-line">
        <StateMark state={maintenance === undefined ? problemOf("paused") : MAINTENANCE} />
        <span class="dim">
          by {by}: {reason}
          {until !== undefined && (
            <>
              , until <Time at={until} />
            </>
          )}
        </span>
      </span>
      <Paused paused={also} />
    </>
  );
}

/** The living workers, and how many items they can handle at once. */
export function Workers({ queue: { workers, slots, waiting } }: { readonly queue: QueueView }): VNode {
  if (workers === 0) {
    return waiting === 0 ? (
      <span class="dim">none</span>
    ) : (
      <StateMark state={{ ...problemOf("unattended"), word: "No worker" }} />
    );
  }
  return (
    <span class="nowrap">
      {workers} <span class="dim">for {count(slots, "item")} at once</span>
    </span>
  );
}
