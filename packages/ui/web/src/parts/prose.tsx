import type { VNode } from "preact";
import { to } from "../app/router.js";
import { TIMES } from "../format/times.js";
import { Time } from "./time.js";

interface ProseProps {
  readonly text: string;
  /** The run that the text is about. Its id in the text becomes a link. */
  readonly run?: string | undefined;
  /** The job that the times belong to. Default: the job of the page. */
  readonly job?: string | undefined;
}

/** A text that begins with a capital letter, unless it begins with a quoted name. */
export const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** A sentence of the server, with its times in the zone of the user. */
export function Prose({ text, run, job }: ProseProps): VNode {
  const [before = "", ...rest] = run === undefined ? [text] : text.split(run);
  const words = before === "" ? "The run of" : /\b(?:as|of|for) $/.test(before) ? "the run of" : "of";
  return (
    <>
      <WithTimes text={before} job={job} />
      {run !== undefined && rest.length > 0 && <RunLink id={run} words={words} job={job} />}
      <WithTimes text={rest.join(run)} job={job} />
      {run !== undefined && rest.length === 0 && (
        <>
          {/[.!?]$/.test(text) ? " " : ". "}
          <a class="link" href={to.run(run)}>
            See the run
          </a>
        </>
      )}
    </>
  );
}

/** A text with its times in the zone of the user. */
export const WithTimes = ({ text, job }: Pick<ProseProps, "text" | "job">): VNode => (
  <>{text.split(TIMES).map((part, i) => (i % 2 === 0 ? part : <Time key={part} at={Date.parse(part)} job={job} />))}</>
);

/** `words`: the words before the time, so that it reads as a part of the sentence. */
function RunLink({ id, words, job }: Pick<ProseProps, "job"> & { readonly id: string; readonly words: string }): VNode {
  const at = Date.parse(id.slice(id.lastIndexOf("@") + 1));
  return (
    <a class="link" href={to.run(id)}>
      {words} <Time at={at} job={job} />
    </a>
  );
}
