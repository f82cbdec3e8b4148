import type { VNode } from "preact";
import { ACTS, type Act } from "../../acts/acts.js";
import { queryOf } from "../../api/call.js";
import type { ActName, Audit, AuditEntry } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { whoText } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Page, Table } from "../../parts/page.js";
import { DidYouMean, Empty } from "../../parts/pictures.js";
import { Time } from "../../parts/time.js";

const LIMIT = 100;

/** Who did what, to which job, and why. */
export function AuditScreen(): VNode {
  const { query } = place.value;
  const name = query.get("name") ?? undefined;
  const q = query.get("q") ?? undefined;
  return (
    <Page title="Audit" end={<FindField label="Name of a job" />}>
      <Paged<Audit>
        path={(before) => `audit${queryOf({ limit: LIMIT, name, q, before })}`}
        next={({ entries, more }) => (more ? String(entries.at(-1)?.at) : undefined)}
        isEmpty={({ entries }) => entries.length === 0}
        empty={({ meant }) => <None called={q ?? name} meant={meant} />}
        rows={({ entries }) => (
          <tbody>
            {entries.map((entry) => (
              <Row key={`${entry.at} ${entry.name} ${entry.action}`} entry={entry} />
            ))}
          </tbody>
        )}
        around={(pages) => (
          <Table class="grid cards" heads={["What", "Job", "Who", "Why", "When"]}>
            {pages}
          </Table>
        )}
      />
    </Page>
  );
}

/** Shown if there are no entries. */
function None({ called, meant }: { readonly called: string | undefined; readonly meant: string | undefined }): VNode {
  return (
    <Empty title={called === undefined ? "No actions recorded" : `No actions on a job called “${called}”`}>
      {meant === undefined ? (
        "Actions by hand appear here: who, what, to which job, and why."
      ) : (
        <DidYouMean name={meant} href={`${to.audit()}${queryOf({ name: meant })}`} />
      )}
    </Empty>
  );
}

type ShownAct = Pick<Act, "label" | "icon" | "danger">;

/** A newer process may have actions that these pages do not know. */
function actOf(action: string): ShownAct {
  const words = action.replaceAll("-", " ");
  return isAct(action) ? ACTS[action] : { label: `${words.charAt(0).toUpperCase()}${words.slice(1)}`, icon: "info" };
}

const isAct = (action: string): action is ActName => Object.hasOwn(ACTS, action);

function Row({ entry }: { readonly entry: AuditEntry }): VNode {
  const { at, action, name, reason, holder, run } = entry;
  const act = actOf(action);
  return (
    <tr>
      <td data-label="What" class="nowrap">
        <span class="state" data-tone={act.danger === true ? "failed" : "quiet"}>
          <Icon name={act.icon} /> {act.label}
        </span>
      </td>
      <th scope="row" class="main-cell">
        <a class="name" href={to.job(name)} data-row>
          {name}
        </a>
      </th>
      <td data-label="Who">{whoText(entry)}</td>
      <td data-label="Why">
        {reason}
        {holder !== undefined && action !== "end-hold" && (
          <span class="dim under">
            from {holder.host}, pid {holder.pid}
          </span>
        )}
      </td>
      <td data-label="When">
        <RunLink run={run}>
          <Time at={at} job={name} />
        </RunLink>
      </td>
    </tr>
  );
}
