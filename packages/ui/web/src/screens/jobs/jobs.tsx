import type { VNode } from "preact";
import { queryOf } from "../../api/call.js";
import type { Jobs } from "../../api/types.js";
import { place } from "../../app/router.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { Page, Table } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { JobRow } from "./job-row.js";

const LIMIT = 100;

const numeric = (head: string, title?: string): VNode => (
  <th scope="col" class="num" title={title}>
    {head}
  </th>
);

const HEADS: readonly (string | VNode)[] = [
  "Job",
  <th scope="col" title="For how long it runs, or when its last run ended">
    Last
  </th>,
  "Next",
  "Durations",
  numeric("p50"),
  numeric("p95"),
  numeric("Success rate", "Of the last 50 attempts; each attempt of a run counts"),
];

/** All jobs: when they run next, how they last ended, and their statistics. */
export function JobsScreen(): VNode {
  const q = place.value.query.get("q") ?? "";
  return (
    <Page title="Jobs" end={<FindField label="Find a job" />}>
      <Paged<Jobs>
        path={(after) => `jobs${queryOf({ limit: LIMIT, after, q })}`}
        next={({ jobs, more }) => (more ? jobs.at(-1)?.name : undefined)}
        isEmpty={({ jobs }) => jobs.length === 0}
        empty={() =>
          q === "" ? (
            <Empty title="No job is known yet">
              A job appears here with its first run, or when a process adds its schedule.
            </Empty>
          ) : (
            <Empty title={`No job matches “${q}”`} />
          )
        }
        rows={({ jobs }) => (
          <tbody>
            {jobs.map((job) => (
              <JobRow key={job.name} job={job} />
            ))}
          </tbody>
        )}
        around={(pages) => (
          <Table class="grid cards jobs" heads={HEADS} acts>
            {pages}
          </Table>
        )}
      />
    </Page>
  );
}
