import type { VNode } from "preact";
import { ActMenu } from "../../acts/act-menu.js";
import { allowed, offer, offersOfRun } from "../../acts/acts.js";
import { useResource } from "../../api/resource.js";
import type { InstanceView, Locks, LockView, SchedulerItem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, elapsedText } from "../../format/duration.js";
import { problemOf, stateOf } from "../../format/states.js";
import { Holder, JobLink, processText, RunLink, Waiters } from "../../parts/facts.js";
import { Page, Section, Table } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { StateMark } from "../../parts/state.js";
import { type Placed, useInPlace } from "../../parts/steady/rows.js";
import { Away, Time } from "../../parts/time.js";

/** The locks and their holders, the living processes, and the schedulers. */
export function LocksScreen(): VNode {
  const locks = useResource<Locks>("locks", { every: 5_000 });
  const all = locks.data.value;
  const said = all && [
    count(all.locks.length, "lock"),
    count(all.instances.length, "process", "processes"),
    count(all.schedulers.length, "scheduler"),
  ];
  return (
    <Page title="Locks and processes" said={said?.join(" · ")}>
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
          <Empty title="No locks are held">Every job can run now.</Empty>
        ) : (
          <Table class="grid cards" heads={["Job", "Held by", "Since", "Lease", "Waiting", "Fence"]} acts>
            <tbody {...around}>
              {rows.map((row) => (
                <LockRow key={row.item.name} {...row} />
              ))}
            </tbody>
          </Table>
        )}
        {truncated && <p class="dim">Not all locks are shown.</p>}
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

function LockRow({ item: lock, gone }: Placed<LockView>): VNode {
  const { name, holder, since, fence, waiting, waiters, run, lease, hold } = lock;
  const no = gone ? "The lock is already free." : undefined;
  const own = offer(hold === undefined ? "unlock" : "end-hold", no);
  const offers = run === undefined ? allowed([own]) : offersOfRun(no);
  return (
    <tr data-gone={gone || undefined}>
      <th scope="row" class="main-cell">
        <JobLink name={name} />
        {gone ? <span class="under dim">already free</span> : <For lock={lock} />}
      </th>
      <td data-label="Held by">
        <Holder holder={holder} />
      </td>
      <td data-label="Since">
        <RunLink run={run}>
          <Away at={since} job={name} />
        </RunLink>
      </td>
      <td data-label="Lease">
        <Left until={gone ? undefined : lease?.until} />
      </td>
      <td data-label="Waiting">
        {waiting === 0 ? <span class="dim">none</span> : count(waiting, "run")}
        {waiting > 0 && <Waiters waiters={waiters} n={waiting} />}
      </td>
      <td data-label="Fence" class="mono">
        {fence}
      </td>
      <td class="num acts-cell">
        <ActMenu offers={offers} target={{ name, run, where: processText(holder), hold }} />
      </td>
    </tr>
  );
}

/** What the lock is held for. */
function For({ lock: { name, hold, gone, run } }: { readonly lock: LockView }): VNode {
  if (hold !== undefined) {
    return (
      <span class="under pair-line">
        <StateMark state={problemOf("held")} />
        <span class="dim">
          {hold.author !== undefined && `${hold.author}: `}
          {hold.reason}
          {hold.until !== undefined && (
            <>
              , until <Time at={hold.until} job={name} />
            </>
          )}
        </span>
      </span>
    );
  }
  if (gone) {
    return (
      <span class="under pair-line">
        <StateMark state={stateOf("lost")} />
        <span class="dim">its session has ended: the next run takes over the lock</span>
      </span>
    );
  }
  return (
    <span class="under dim">
      {run === undefined ? "without a run" : <Prose text={`for ${run}`} run={run} job={name} />}
    </span>
  );
}

function Left({ until }: { readonly until: number | undefined }): VNode {
  if (until === undefined) return <span class="dim">–</span>;
  const left = until - second.value;
  return (
    <span class="lease" data-late={left < 3_000}>
      {left > 0 ? elapsedText(left) : "expired"}
    </span>
  );
}

function InstanceRow({ instance: item }: { readonly instance: InstanceView }): VNode {
  const { since, lease, locks } = item;
  return (
    <tr>
      <th scope="row" class="main-cell">
        <Holder holder={item} />
      </th>
      <td data-label="Session since">{since === undefined ? "–" : <Away at={since} />}</td>
      <td data-label="Lease">
        <Left until={lease?.until} />
      </td>
      <td data-label="Renewed">{lease === undefined ? "–" : <Away at={lease.renewed} />}</td>
      <td data-label="Locks">{locks}</td>
    </tr>
  );
}

function SchedulerRow({ scheduler }: { readonly scheduler: SchedulerItem }): VNode {
  const { schedules, names } = scheduler;
  const shown = names.slice(0, 12);
  return (
    <li class="scheduler">
      <span class="nowrap">
        <Holder holder={scheduler} />
      </span>
      <span class="dim">{count(schedules, "schedule")}</span>
      <span class="names">
        {shown.map((name) => (
          <a key={name} href={to.job(name)}>
            {name}
          </a>
        ))}
        {schedules > shown.length && <span class="dim">and {schedules - shown.length} more</span>}
      </span>
    </li>
  );
}
