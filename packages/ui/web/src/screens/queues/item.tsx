import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer, possible } from "../../acts/acts.js";
import { useResource } from "../../api/resource.js";
import type { QueueItemPage } from "../../api/types.js";
import { to } from "../../app/router.js";
import { newsOfQueue } from "../../live/news.js";
import { useSubject } from "../../palette/palette.js";
import { Fact, Facts } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { Page, Section } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Due, Time } from "../../parts/time.js";
import { Reasons } from "../jobs/why.js";
import { Took } from "../runs/runs.js";
import { itemState } from "./queue.js";
import { EVERY } from "./queues.js";

/** An item: its state, its data, and its attempts. */
export function ItemScreen({ queue, id }: { readonly queue: string; readonly id: string }): VNode {
  const path = `queues/${encodeURIComponent(queue)}/items/${encodeURIComponent(id)}`;
  const page = useResource<QueueItemPage>(path, { names: [newsOfQueue(queue)], every: EVERY });
  const gone = page.error.value?.status === 404;
  const item = gone ? undefined : page.data.value?.item;
  const isRetried = item?.state === "dead" || item?.state === "delayed";
  const offers = allowed([
    offer("queue-retry", isRetried ? undefined : "Only a dead or delayed item can be retried."),
    offer("queue-discard"),
  ]);
  const target = { name: queue, queue: { item: id } };
  useSubject(item && { acts: possible(offers), target }, [id, isRetried, offers.length]);
  return (
    <Page
      title={id}
      before={item && <StateMark state={itemState(item.state)} />}
      said={`item of ${queue}`}
      end={
        <>
          {item !== undefined && <ActButtons offers={offers} target={target} />}
          <a class="button" href={to.queue(queue)}>
            The queue
          </a>
        </>
      }
    >
      {gone ? (
        <Empty title="The queue does not have this item">
          It completed, it was discarded, or its retention time is over. Its runs are{" "}
          <a class="link" href={`${to.runs()}?name=${encodeURIComponent(queue)}`}>
            those of the queue
          </a>
          .
        </Empty>
      ) : (
        <Loaded of={page}>{(loaded) => <Body page={loaded} />}</Loaded>
      )}
    </Page>
  );
}

function Body({ page: { item, reasons, attempts } }: { readonly page: QueueItemPage }): VNode {
  const { attempt, priority, added, group, due, expires, died, error, data, meta, next, dataHidden } = item;
  return (
    <>
      {reasons.length > 0 && <Reasons name={item.id} reasons={reasons} />}
      <Facts>
        <Fact name="Added">
          <Time at={added} />
        </Fact>
        <Fact name="Attempt">{attempt}</Fact>
        <Fact name="Priority">{priority}</Fact>
        <Fact name="Group">{group}</Fact>
        <Fact name="Due">{due !== undefined && <Due at={due} />}</Fact>
        <Fact name="Dropped after">{expires !== undefined && <Time at={expires} />}</Fact>
        <Fact name="Dead since">{died !== undefined && <Time at={died} />}</Fact>
        {Object.entries(meta ?? {}).map(([name, value]) => (
          <Fact key={name} name={name}>
            {typeof value === "string" ? value : JSON.stringify(value)}
          </Fact>
        ))}
      </Facts>
      {error !== undefined && (
        <div class="note" data-tone="failed">
          <Icon name="warn" />
          <div>
            <Prose text={error} />
          </div>
        </div>
      )}
      <Section title="Data">
        {dataHidden === true ? (
          <p class="dim">The data is hidden. The server shows it with the option showResults.</p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus.
          <pre class="item-data" tabIndex={0}>
            {JSON.stringify(data, null, 2)}
          </pre>
        )}
      </Section>
      {next !== undefined && (
        <Section title="Newer data, for one more attempt">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
          <pre class="item-data" tabIndex={0}>
            {JSON.stringify(next.data, null, 2)}
          </pre>
        </Section>
      )}
      <Section title="Attempts" count={attempts.length}>
        {attempts.length === 0 ? (
          <Empty title="No attempt is stored" />
        ) : (
          <ol class="rows plain">
            {attempts.map((each) => (
              <li key={each.id}>
                <a href={to.run(each.id)} class="name" data-row>
                  <RunState status={each.status} />
                </a>
                <Time at={each.startTime} />
                <span class="dim cut">{each.error !== undefined && <Prose text={each.error} />}</span>
                <span class="end">
                  <Took run={each} />
                </span>
              </li>
            ))}
          </ol>
        )}
      </Section>
    </>
  );
}
