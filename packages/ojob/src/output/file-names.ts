const DAY = "{{timedate}}";
const DEFAULT = `log-${DAY}.log`;

/** The names of log files: a template in which `{{timedate}}` is the day. */
export class FileNames {
  readonly #template: string;
  readonly #backup: string;

  /** Without a template for backups, compressed files end in `.gz`. */
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

  /** The day of a log file, by its name. `undefined` if the name is no log file's. */
  dayOf(name: string): string | undefined {
    const day = /\d{4}-\d\d-\d\d/.exec(name)?.[0];
    if (day === undefined) return undefined;
    return this.of(day) === name || this.backupOf(day) === name ? day : undefined;
  }
}

/** Whether a template makes another name for each day. */
export function namesDays(template: string): boolean {
  return template.includes(DAY);
}
