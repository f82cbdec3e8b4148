import type { VNode } from "preact";
import { ActButtons, ActMenu } from "../../acts/act-menu.js";
import { allowed, offer, possible } from "../../acts/acts.js";
import { queryOf } from "../../api/call.js";
import { useResource } from "../../api/resource.js";
import type { DeadGroup, QueueDetail, QueueItem, QueueItems, QueueMinute } from "../../api/types.js";
import { place, setQuery, to } from "../../app/router.js";
import { number } from "../../format/duration.js";
import type { State } from "../../format/states.js";
import { newsOfQueue } from "../../live/news.js";
import { useSubject } from "../../palette/palette.js";
import { Fact, Facts } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { Page, Section, Table } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { StateMark, toned } from "../../parts/state.js";
import { Away, Due, Elapsed, Time } from "../../parts/time.js";
import { Definition } from "../jobs/job.js";
import { Reasons } from "../jobs/why.js";
import { EVERY, itemsText, Workers } from "./queues.js";

/** How many items of a state are counted for the page of a queue. */
const COUNTED = 10_000;

const ITEMS = 50;

const STATES: Readonly<Record<QueueItem["state"], State>> = {
  active: { tone: "running", icon: "running", word: "Active" },
  waiting: { tone: "quiet", icon: "waiting", word: "Waiting" },
  delayed: { tone: "quiet", icon: "next", word: "Delayed" },
  dead: { tone: "failed", icon: "failed", word: "Dead" },
};

/** The state of an item. */
export const itemState = (state: QueueItem["state"]): State => STATES[state];

interface QueueProps {
  readonly queue: QueueDetail;
}

/** A queue: its depth, its attempts, its dead letters, and its items. */
export function QueueScreen({ name }: { readonly name: string }): VNode {
  const queue = useResource<QueueDetail>(`queues/${encodeURIComponent(name)}`, {
    names: [newsOfQueue(name)],
    every: EVERY,
  });
  const detail = queue.data.value;
  // A maintenance is ended by an action of its own.
  const isPaused = detail?.paused !== undefined && detail.paused.maintenance === undefined;
  const offers = allowed([offer(isPaused ? "queue-resume" : "queue-pause")]);
  const target = { name, queue: {} };
  useSubject(detail && { acts: possible(offers), target }, [name, isPaused, offers.length]);
  return (
    <Page
      title={name}
      end={
        <>
          {detail !== undefined && <ActButtons offers={offers} target={target} />}
          <a class="button" href={to.runs(queryOf({ name }))}>
            Its runs
          </a>
        </>
      }
    >
      <Loaded of={queue} rows={10}>
        {(loaded) => <Body queue={loaded} />}
      </Loaded>
    </Page>
  );
}

function Body({ queue }: QueueProps): VNode {
  const { name, waiting, delayed, active, dead, oldest, definition } = queue;
  return (
    <>
      <Reasons name={name} reasons={queue.reasons} />
      <Facts>
        <Fact name="Waiting">{itemsText(waiting, COUNTED)}</Fact>
        <Fact name="Oldest waits for">
          {oldest === undefined ? <span class="dim">–</span> : <Elapsed since={oldest} />}
        </Fact>
        <Fact name="Delayed">{itemsText(delayed, COUNTED)}</Fact>
        <Fact name="Active">{itemsText(active, COUNTED)}</Fact>
        <Fact name="Dead">{itemsText(dead, COUNTED)}</Fact>
        <Fact name="Workers">
          <Workers queue={queue} />
        </Fact>
      </Facts>
      <div class="split">
        <div>
          <Errors queue={queue} />
          <Items name={name} />
        </div>
        <div>
          <Attempts queue={queue} />
          <Definition of={definition} />
        </div>
      </div>
    </>
  );
}

const MINUTE = 60_000;
const MINUTES = 60;
const WIDTH = 400;
const HEIGHT = 72;
const STEP = WIDTH / MINUTES;

/** The attempts of a minute that ended well, and the others that ended. Skipped ones were given back. */
function sumOf({ runs }: QueueMinute): { readonly well: number; readonly bad: number } {
  const { completed = 0, failed = 0, lost = 0, timeout = 0, cancelled = 0 } = runs;
  return { well: completed, bad: failed + lost + timeout + cancelled };
}

/** The attempts of the last hour. The depth of a queue is not stored, so there is no chart of it. */
function Attempts({ queue: { at, minutes, missing } }: QueueProps): VNode {
  const sums = minutes.map((minute) => ({ at: minute.at, ...sumOf(minute) }));
  const top = Math.max(1, ...sums.map(({ well, bad }) => well + bad));
  const [well, bad] = [sums.reduce((sum, one) => sum + one.well, 0), sums.reduce((sum, one) => sum + one.bad, 0)];
  const from = (Math.floor(at / MINUTE) - MINUTES + 1) * MINUTE;
  const label = `Attempts that began in the last hour: ${well} completed, ${bad} failed, at most ${top} in a minute`;
  return (
    <Section title="Attempts" count="last hour">
      <figure class="attempts">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          {sums.map((one) => {
            const x = ((one.at - from) / MINUTE) * STEP;
            const [high, low] = [(one.well / top) * HEIGHT, (one.bad / top) * HEIGHT];
            return (
              <g key={one.at}>
                <title>{`${one.well} completed, ${one.bad} failed`}</title>
                <rect x={x} y={HEIGHT - high} width={STEP - 1} height={high} />
                <rect x={x} y={HEIGHT - high - low} width={STEP - 1} height={low} data-bad />
              </g>
            );
          })}
        </svg>
        <figcaption class="dim">
          Attempts by the minute in which they began: {number(well)} completed (green), {number(bad)} failed, lost or
          cancelled (red). The number of waiting items is not stored over time.
          {missing !== undefined && " Not all are counted yet."}
        </figcaption>
      </figure>
    </Section>
  );
}

/** The dead letters by their errors. */
function Errors({ queue: { name, dead, errors, truncated } }: QueueProps): VNode | null {
  if (dead === 0) return null;
  const offers = allowed([offer("queue-retry"), offer("queue-discard")]);
  return (
    <Section
      title="Dead letters"
      count={itemsText(dead, COUNTED)}
      end={<ActButtons offers={offers} target={{ name, queue: { dead } }} />}
    >
      <Table class="grid cards" heads={["Error", "Items", "First", "Last"]} acts>
        <tbody>
          {errors.map((group) => (
            <ErrorRow key={group.key} name={name} group={group} />
          ))}
        </tbody>
      </Table>
      {truncated && <p class="dim">Only the first 1,000 dead letters are grouped.</p>}
    </Section>
  );
}

function ErrorRow({ name, group }: { readonly name: string; readonly group: DeadGroup }): VNode {
  const { key, count: dead, error, item, first, last } = group;
  const offers = allowed([offer("queue-retry"), offer("queue-discard")]);
  return (
    <tr>
      <th scope="row" class="main-cell">
        <a class="name" href={to.item(name, item)} data-row>
          {error === "" ? "no error text" : error}
        </a>
      </th>
      <td data-label="Items">{dead}</td>
      <td data-label="First">
        <Away at={first} />
      </td>
      <td data-label="Last">
        <Away at={last} />
      </td>
      <td class="num acts-cell">
        <ActMenu offers={offers} target={{ name, queue: { error: key, dead } }} />
      </td>
    </tr>
  );
}

/** The items in the state of the address, or all. */
function Items({ name }: { readonly name: string }): VNode {
  const state = place.value.query.get("state") ?? undefined;
  const items = useResource<QueueItems>(`queues/${encodeURIComponent(name)}/items${queryOf({ state, limit: ITEMS })}`, {
    names: [newsOfQueue(name)],
    every: EVERY,
  });
  return (
    <Section title="Items">
      <fieldset class="chips filters" aria-label="Only items that are">
        {(Object.keys(STATES) as QueueItem["state"][]).map((each) => (
          <button
            key={each}
            type="button"
            class="button"
            aria-pressed={each === state}
            onClick={() => setQuery({ state: each === state ? undefined : each })}
          >
            <span {...toned(STATES[each].tone)}>
              <Icon name={STATES[each].icon} />
            </span>
            {STATES[each].word}
          </button>
        ))}
      </fieldset>
      <Loaded of={items}>
        {({ items: all, more }) =>
          all.length === 0 ? (
            <Empty title="The queue has no such items" />
          ) : (
            <>
              <Table class="grid cards" heads={["Item", "State", "Attempt", "Priority", "Added"]}>
                <tbody>
                  {all.map((item) => (
                    <ItemRow key={item.id} queue={name} item={item} />
                  ))}
                </tbody>
              </Table>
              {more && <p class="dim">Only the first {all.length} are shown.</p>}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function ItemRow({ queue, item }: { readonly queue: string; readonly item: QueueItem }): VNode {
  const { id, state, attempt, priority, added, group, due, error } = item;
  return (
    <tr>
      <th scope="row" class="main-cell">
        <a class="name mono" href={to.item(queue, id)} data-row>
          {id}
        </a>
        {error !== undefined && (
          <span class="dim under cut">
            <Prose text={error} />
          </span>
        )}
      </th>
      <td data-label="State">
        <StateMark state={itemState(state)} />
        {due !== undefined && (
          <span class="dim under">
            <Due at={due} />
          </span>
        )}
      </td>
      <td data-label="Attempt">{attempt}</td>
      <td data-label="Priority">
        {priority}
        {group !== undefined && <span class="dim under cut">group {group}</span>}
      </td>
      <td data-label="Added">
        <Time at={added} />
      </td>
    </tr>
  );
}
