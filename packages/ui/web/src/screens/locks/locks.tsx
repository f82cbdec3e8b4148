import type { VNode } from "preact";
import { useResource } from "../../api/resource.js";
import type { Locks } from "../../api/types.js";
import { count } from "../../format/duration.js";
import { Page, Section, Table } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { useInPlace } from "../../parts/steady/rows.js";
import { InstanceRow, LockRow, SchedulerRow } from "./rows.js";

/** The locks and their holders, the living processes, and the schedulers. */
export function LocksScreen(): VNode {
  const locks = useResource<Locks>("locks", { every: 5_000 });
  const { data } = locks;
  const said =
    data.value &&
    `${count(data.value.locks.length, "lock")} · ${count(data.value.instances.length, "process", "processes")} · ${count(data.value.schedulers.length, "scheduler")}`;
  return (
    <Page title="Locks and processes" said={said}>
      <Loaded of={locks}>{(loaded) => <Body loaded={loaded} />}</Loaded>
    </Page>
  );
}

function Body({ loaded: { locks, instances, schedulers, truncated } }: { readonly loaded: Locks }): VNode {
  const { rows, around } = useInPlace(locks);
  return (
    <>
      <Section title="Locks" count={locks.length}>
        {rows.length === 0 ? (
          <Empty title="No lock is held">Each job can run now.</Empty>
        ) : (
          <Table class="grid cards" heads={["Job", "Held by", "Since", "Lease", "Waiting", "Fence"]} acts>
            <tbody {...around}>
              {rows.map((row) => (
                <LockRow key={row.item.name} {...row} />
              ))}
            </tbody>
          </Table>
        )}
        {truncated && <p class="dim">There are more than these.</p>}
      </Section>
      <Section title="Processes" count={instances.length}>
        {instances.length === 0 ? (
          <Empty title="No process has a lock or waits for one" />
        ) : (
          <Table class="grid cards" heads={["Process", "Session since", "Lease", "Renewed", "Locks"]}>
            <tbody>
              {instances.map((instance) => (
                <InstanceRow key={instance.instance} instance={instance} />
              ))}
            </tbody>
          </Table>
        )}
      </Section>
      <Section title="Schedulers" count={schedulers.length}>
        {schedulers.length === 0 ? (
          <Empty title="No scheduler is running">No tick is decided until a process adds schedules.</Empty>
        ) : (
          <ul class="rows">
            {schedulers.map((scheduler) => (
              <SchedulerRow key={scheduler.instance} scheduler={scheduler} />
            ))}
          </ul>
        )}
      </Section>
    </>
  );
}
