import type { VNode } from "preact";
import type { RunItem } from "../../api/types.js";
import { tookText } from "../../format/duration.js";
import { Table } from "../../parts/page.js";

/** A fact of two runs, as text. */
export type Pair = readonly [what: string, a: string, b: string];

const took = ({ status, duration }: RunItem): string => (duration === undefined ? "–" : tookText(status, duration));

/** The facts of two runs that a list has. */
export const pairsOf = (a: RunItem, b: RunItem): readonly Pair[] => [
  ["Took", took(a), took(b)],
  ["Host", a.holder.host, b.holder.host],
  ["Process", `pid ${a.holder.pid}`, `pid ${b.holder.pid}`],
  ["Started by", a.trigger, b.trigger],
];

const WHAT = (
  <th scope="col">
    <span class="hidden-text">What</span>
  </th>
);

interface ComparedTableProps {
  readonly heads: readonly [string | VNode, string | VNode];
  readonly pairs: readonly Pair[];
}

/** Facts of two runs side by side. Equal ones are dim. */
export const ComparedTable = ({ heads, pairs }: ComparedTableProps): VNode => (
  <Table class="grid compared" heads={[WHAT, ...heads]}>
    <tbody>
      {pairs.map(([what, a, b]) => (
        <tr key={what} data-same={a === b}>
          <th scope="row">{what}</th>
          <td>{a}</td>
          <td>{b}</td>
        </tr>
      ))}
    </tbody>
  </Table>
);
