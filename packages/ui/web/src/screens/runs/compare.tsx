import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import "../../css/compare.css";
import { alignLogs, differingSteps, type LogBlock, MOST_COMPARED } from "../../../../../core/src/util/compare-logs.js";
import { ApiError, queryOf, read } from "../../api/call.js";
import { useResource } from "../../api/resource.js";
import type { LogPage, RunPage } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { count, durationText, number, progressText } from "../../format/duration.js";
import { jobOfRun, RunLink } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { numeric, Page, Section, Table } from "../../parts/page.js";
import { Empty, Failure, Full, Loaded, Skeleton } from "../../parts/pictures.js";
import { RunState } from "../../parts/state.js";
import { Time } from "../../parts/time.js";
import { ComparedTable, type Pair, pairsOf } from "./compared.js";
import { plain } from "./log/ansi.js";
import { isLine, type Line } from "./log/log-model.js";

/** Two runs side by side: their facts, the steps that took another time, and their logs. */
export function CompareScreen(): VNode {
  const { query } = place.value;
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  const swapped = to.compare(b, a);
  return (
    <Page
      title="Compare two runs"
      said={a === "" ? undefined : jobOfRun(b)}
      end={
        <a class="button" href={swapped}>
          Swap
        </a>
      }
    >
      {a === "" || b === "" ? (
        <Full icon="search" title="Select two runs">
          <p>Select two runs on the page Runs, or open a run and compare it with the last success.</p>
        </Full>
      ) : (
        <Both key={swapped} a={a} b={b} />
      )}
    </Page>
  );
}

interface Ids {
  readonly a: string;
  readonly b: string;
}

function Both({ a, b }: Ids): VNode {
  const [one, other] = [useRun(a), useRun(b)];
  const [logA, logB] = [useLog(a), useLog(b)];
  return (
    <Loaded of={one}>
      {(pageA) => (
        <Loaded of={other}>
          {(pageB) => (
            <>
              <ComparedTable heads={[<Head of={pageA} />, <Head of={pageB} />]} pairs={pairsOfPages(pageA, pageB)} />
              {[logA, logB].map((log) => log instanceof ApiError && <Failure error={log} />)}
              {logA === undefined || logB === undefined ? <Skeleton rows={8} /> : null}
              {isRead(logA) && isRead(logB) && <Compared a={{ ...pageA, log: logA }} b={{ ...pageB, log: logB }} />}
            </>
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

const useRun = (id: string) => useResource<RunPage>(`runs/${encodeURIComponent(id)}`, { names: [jobOfRun(id)] });

const Head = ({ of: { run } }: { readonly of: Pick<RunPage, "run"> }): VNode => (
  <th scope="col">
    <RunState status={run.status} />{" "}
    <RunLink run={run.id}>
      <Time at={run.startTime} job={run.name} />
    </RunLink>
  </th>
);

function pairsOfPages(a: RunPage, b: RunPage): readonly Pair[] {
  const isOne = a.run.name === b.run.name;
  const facts = ({ run: { name, attempt, versions, args, exit, error }, progress }: RunPage) => ({
    Job: isOne ? undefined : name,
    Attempt: attempt === undefined ? undefined : String(attempt),
    Versions: versions && `ojm ${versions.ojm}, Node ${versions.node}`,
    Parameters: args && JSON.stringify(args),
    "Last progress": progress && progressText(progress),
    Exit: exit && String(exit.signal ?? exit.code),
    Error: error === undefined ? undefined : plain(error),
  });
  const [ofA, ofB] = [facts(a), facts(b)];
  const more = (Object.keys(ofA) as (keyof typeof ofA)[]).flatMap((what): Pair[] =>
    ofA[what] === undefined && ofB[what] === undefined ? [] : [[what, ofA[what] ?? "–", ofB[what] ?? "–"]],
  );
  return [...pairsOf(a.run, b.run), ...more];
}

/** The height of the lines that are shown after a difference, in px. */
const CONTEXT = 80;

/** How many lines are read at once. */
const AT_ONCE = 2_000;

/** The lines of a log. */
interface WholeLog {
  readonly lines: readonly Line[];
  /** Whether there are more lines, or some are not stored. */
  readonly isPart: boolean;
}

const isRead = (log: WholeLog | ApiError | undefined): log is WholeLog =>
  log !== undefined && !(log instanceof ApiError);

/** Reads a log once: lines that come later are not compared. */
function useLog(id: string): WholeLog | ApiError | undefined {
  const log = useSignal<WholeLog | ApiError | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    readLog(id, abort.signal).then(
      (whole) => (log.value = whole),
      (error: unknown) => {
        if (!abort.signal.aborted)
          log.value = error instanceof ApiError ? error : new ApiError("UNKNOWN", String(error), 0);
      },
    );
    return () => abort.abort();
  }, [id]);
  return log.value;
}

async function readLog(id: string, signal: AbortSignal): Promise<WholeLog> {
  const lines: Line[] = [];
  let isPart = false;
  for (let after = 0; ; ) {
    const path = `runs/${encodeURIComponent(id)}/log${queryOf({ after, limit: AT_ONCE })}`;
    const { items, more } = await read<LogPage>(path, signal);
    lines.push(...items.filter(isLine));
    isPart ||= items.some((item) => !isLine(item));
    const last = lines.at(-1)?.line ?? after;
    if (!more || last <= after) return { lines, isPart };
    if (lines.length >= MOST_COMPARED) return { lines: lines.slice(0, MOST_COMPARED), isPart: true };
    after = last;
  }
}

type Read = Omit<RunPage, "log"> & { readonly log: WholeLog };

function Compared({ a, b }: { readonly a: Read; readonly b: Read }): VNode {
  const blocks = useMemo(() => alignLogs(a.log.lines, b.log.lines), [a.log, b.log]);
  const steps = useMemo(
    () => differingSteps(blocks, { ...a.run, ...a.log }, { ...b.run, ...b.log }, MOST_STEPS),
    [blocks, a.run.endTime, b.run.endTime],
  );
  return (
    <>
      {steps.length > 0 && (
        <Section title="Steps with a different duration" count={steps.length}>
          <Table
            class="grid compared steps"
            heads={["Until the line", ...["First", "Second", "Difference"].map((head) => numeric(head))]}
          >
            <tbody>
              {steps.map(({ text, a: inA, b: inB }, i) => (
                <tr key={i}>
                  <th scope="row" class={text === undefined ? "dim" : "mono"}>
                    {text === undefined ? "the end of the run" : plain(text)}
                  </th>
                  <td class="num">{durationText(inA)}</td>
                  <td class="num">{durationText(inB)}</td>
                  <td class="num">
                    {inB > inA ? "+" : "−"}
                    {durationText(Math.abs(inB - inA))}
                  </td>
                </tr>
              ))}
            </tbody>
          </Table>
        </Section>
      )}
      <Logs a={a} b={b} blocks={blocks} />
    </>
  );
}

/** How many steps are shown. */
const MOST_STEPS = 5;

/** How many equal lines are shown before and after a difference, and how many rows at first. */
const AROUND = 3;
const ROWS = 1_000;

/** A row: a line of each log, or of one of them; or equal lines that are not shown. */
type Row =
  | { readonly a?: Line | undefined; readonly b?: Line | undefined; readonly isSame: boolean }
  | { readonly hidden: number; readonly block: LogBlock };

const isHidden = (row: Row): row is Extract<Row, { readonly hidden: number }> => "hidden" in row;

/** The rows of the blocks. Equal lines far from a difference are left out, unless their block is `open`. */
function rowsOf(
  blocks: readonly LogBlock[],
  a: readonly Line[],
  b: readonly Line[],
  open: ReadonlySet<LogBlock>,
): Row[] {
  return blocks.flatMap((block, at) => {
    const { isSame, a: inA, b: inB } = block;
    const [ofA, ofB] = [a.slice(...inA), b.slice(...inB)];
    const rows: Row[] = Array.from({ length: Math.max(ofA.length, ofB.length) }, (_, i) => ({
      ...{ a: ofA[i], b: ofB[i], isSame },
    }));
    const [before, after] = [at === 0 ? 0 : AROUND, at === blocks.length - 1 ? 0 : AROUND];
    const hidden = rows.length - before - after;
    if (!isSame || open.has(block) || hidden < 2) return rows;
    return [...rows.slice(0, before), { hidden, block }, ...rows.slice(rows.length - after)];
  });
}

interface LogsProps {
  readonly a: Read;
  readonly b: Read;
  readonly blocks: readonly LogBlock[];
}

function Logs({ a, b, blocks }: LogsProps): VNode {
  const open = useSignal<ReadonlySet<LogBlock>>(new Set());
  const most = useSignal(ROWS);
  const current = useSignal(0);
  const body = useRef<HTMLTableElement>(null);
  const rows = rowsOf(blocks, a.log.lines, b.log.lines, open.value);
  const shown = rows.slice(0, most.value);
  const differences = blocks.filter(({ isSame }) => !isSame).length;
  const show = (n: number): void => {
    const begins = body.current?.querySelectorAll("[data-first]");
    current.value = n % Math.max(1, begins?.length ?? 0);
    begins?.[current.value]?.scrollIntoView({ block: "center" });
  };
  useLayoutEffect(() => {
    const first = body.current?.querySelector("[data-first]");
    // The heading of the page stays in sight if the first difference is, with the lines after it.
    if (first && first.getBoundingClientRect().bottom > innerHeight - CONTEXT) show(0);
  }, []);
  const isPart = a.log.isPart || b.log.isPart;
  let isBegun = false;
  let begun = -1;
  if (rows.length === 0)
    return (
      <Section title="Logs">
        <Empty title="No log is stored">
          Neither run wrote a line, or their logs were deleted after their retention time.
        </Empty>
      </Section>
    );
  return (
    <Section
      title="Logs"
      count={differences === 0 ? "no difference" : `difference ${number(current.value + 1)} of ${number(differences)}`}
      end={
        differences > 0 && (
          <button type="button" class="button" onClick={() => show(current.value + 1)}>
            <Icon name="warn" />
            Next difference
          </button>
        )
      }
    >
      <p class="dim" role="status">
        Lines that differ only in numbers, times and ids count as equal.
        {isPart &&
          ` Not all lines are compared: some are not stored, or are beyond the first ${number(MOST_COMPARED)}.`}
      </p>
      <table class="sides" ref={body}>
        <thead>
          <tr>
            <Head of={a} />
            <Head of={b} />
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => {
            if (isHidden(row)) {
              isBegun = false;
              return (
                <tr key={i} class="hidden-lines">
                  <td colSpan={2}>
                    <button
                      type="button"
                      class="unfold"
                      onClick={() => (open.value = new Set(open.value).add(row.block))}
                    >
                      {count(row.hidden, "equal line")}
                    </button>
                  </td>
                </tr>
              );
            }
            const isFirst = !row.isSame && !isBegun;
            isBegun = !row.isSame;
            if (isFirst) begun++;
            const isCurrent = isBegun && begun === current.value;
            return (
              <tr
                key={i}
                data-same={row.isSame}
                data-first={isFirst || undefined}
                aria-current={isCurrent || undefined}
              >
                <Side of={row.a} run={a.run.id} sign="−" isSame={row.isSame} />
                <Side of={row.b} run={b.run.id} sign="+" isSame={row.isSame} />
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <button type="button" class="button" onClick={() => (most.value += ROWS)}>
          Show more
        </button>
      )}
    </Section>
  );
}

interface SideProps {
  readonly of: Line | undefined;
  readonly run: string;
  /** What a line has that the other log lacks. */
  readonly sign: "−" | "+";
  readonly isSame: boolean;
}

const Side = ({ of: line, run, sign, isSame }: SideProps): VNode =>
  line === undefined ? (
    <td class="none" />
  ) : (
    <td>
      <span class="sign">{isSame ? "" : sign}</span>
      <a class="at" href={`${to.run(run)}#L${line.line}`}>
        {line.line}
      </a>
      <span class="text">{plain(line.text)}</span>
    </td>
  );
