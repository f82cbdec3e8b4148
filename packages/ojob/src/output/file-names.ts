const DAY = "{{timedate}}";
const DEFAULT = `log-${DAY}.log`;

/** How log files are called: a template in which `{{timedate}}` is the day. */
export class FileNames {
  readonly #template: string;
  readonly #backup: string;

  /** Without a template for backups, those that are compressed end in `.gz`. */
  constructor(template: string = DEFAULT, backup?: string, compress = true) {
    this.#template = template;
    this.#backup = backup ?? (compress ? `${template}.gz` : template);
  }

  of(day: string): string {
    return this.#template.replaceAll(DAY, day);
  }

  backupOf(day: string): string {
    return this.#backup.replaceAll(DAY, day);
  }

  /** The day of a file that is called like one of the log; `undefined` if it is none. */
  dayOf(name: string): string | undefined {
    const day = /\d{4}-\d\d-\d\d/.exec(name)?.[0];
    if (day === undefined) return undefined;
    return this.of(day) === name || this.backupOf(day) === name ? day : undefined;
  }
}

/** Whether a template makes a name for each day. */
export function namesDays(template: string): boolean {
  return template.includes(DAY);
}
