import { encodeValue } from "../../channel/encoding/json.js";
import type { Extras } from "../records/record.js";
import type { RunRecord } from "../types.js";
import { VERSIONS } from "../versions.js";

/*
 * The texts of records, as `encodeValue` would make them, byte by byte: record-texts.test.ts holds them to
 * that. A template takes a quarter of the time of JSON.stringify and its checks.
 */

/** What most runs of a program have in common. */
interface Common {
  readonly holder: string;
  readonly trigger: string;
  readonly timeout: number;
  readonly text: string;
}

/** Makes the texts of records. Keeps the part that is the same for most runs of a program. */
export class RecordTexts {
  #common: Common | undefined;

  /** The texts of one record, which `startedRecord` made of `extras`. `holder`: the text of its holder. */
  of(record: RunRecord, holder: string, extras?: Extras): RecordText {
    const { startTime, startDate } = record;
    const name = JSON.stringify(record.name);
    const id = `${name.slice(0, -1)}@${startDate}"`;
    const begin = `{"name":${name},"startTime":${startTime},"startDate":"${startDate}","id":${id},"status":"`;
    const middle = this.#middle(record, holder);
    return new RecordText(begin, extras === undefined ? middle : middle + moreFields(extras));
  }

  #middle({ trigger, timeout }: RunRecord, holder: string): string {
    const common = this.#common;
    if (common?.holder === holder && common.trigger === trigger && common.timeout === timeout) return common.text;
    const text = `","holder":${holder},"trigger":${JSON.stringify(trigger)},"timeout":${timeout},${VERSIONS_TEXT}`;
    this.#common = { holder, trigger, timeout, text };
    return text;
  }
}

const VERSIONS_TEXT = `"versions":${JSON.stringify(VERSIONS)}`;

/** The text of a map without its braces, to go on behind other fields. */
export function moreFields(map: object): string {
  const text = encodeValue(map).slice(1, -1);
  return text === "" ? "" : `,${text}`;
}

/** The texts of the record of one run. */
export class RecordText {
  readonly #begin: string;
  readonly #middle: string;

  constructor(begin: string, middle: string) {
    this.#begin = begin;
    this.#middle = middle;
  }

  /** The text while the run is open. */
  get started(): string {
    return `${this.#begin}running${this.#middle}}`;
  }

  /**
   * The text of the record that `ended` made of it, if it has no result, stack, `endedBy` or `handedOver`.
   */
  ended({ status, fence, error, endTime, endDate, duration, inError }: RunRecord): string {
    const why = error === undefined ? "" : `,"error":${JSON.stringify(error)}`;
    const end = `,"endTime":${endTime},"endDate":"${endDate}","duration":${duration},"inError":${inError}}`;
    return `${this.#begin}${status}${this.#middle},"fence":${JSON.stringify(fence)}${why}${end}`;
  }
}
