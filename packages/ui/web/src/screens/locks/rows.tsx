import type { VNode } from "preact";
import { ActMenu } from "../../acts/act-menu.js";
import { allowed, offer, offersOfRun } from "../../acts/offers.js";
import type { InstanceView, LockView, SchedulerItem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, elapsedText } from "../../format/duration.js";
import { problemOf, stateOf } from "../../format/states.js";
import { Holder } from "../../parts/facts.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Waiters } from "../../parts/lists/waiters.js";
import { StateMark } from "../../parts/state.js";
import type { Placed } from "../../parts/steady/rows.js";
import { Away, Time } from "../../parts/time.js";

/** A lock that is held. */
export function LockRow({ item: lock, gone }: Placed<LockView>): VNode {
  const { name, holder, since, fence, waiting, waiters, run, lease, hold } = lock;
  const where = `${holder.host}, pid ${holder.pid}`;
  const no = gone ? "The lock is free by now." : undefined;
  const own = offer(hold === undefined ? "unlock" : "end-hold", no);
  const offers = run === undefined ? allowed([own]) : offersOfRun(no);
  return (
    <tr data-gone={gone || undefined}>
      <th scope="row" class="main-cell">
        <a class="name" href={to.job(name)} data-row>
          {name}
        </a>
        {gone ? <span class="under dim">free by now</span> : <For lock={lock} />}
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
        <ActMenu offers={offers} target={{ name, run, where, hold }} />
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
        <span class="dim">its process is gone: the next run takes the lock over</span>
      </span>
    );
  }
  return <span class="under dim">{run === undefined ? "without a run" : "for a run"}</span>;
}

function Left({ until }: { readonly until: number | undefined }): VNode {
  if (until === undefined) return <span class="dim">–</span>;
  const left = until - second.value;
  return (
    <span class="lease" data-late={left < 3_000}>
      {left > 0 ? elapsedText(left) : "over"}
    </span>
  );
}

/** A process that has locks, or waits for one. */
export function InstanceRow({ instance: item }: { readonly instance: InstanceView }): VNode {
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

/** A process that runs schedules. */
export function SchedulerRow({ scheduler }: { readonly scheduler: SchedulerItem }): VNode {
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
