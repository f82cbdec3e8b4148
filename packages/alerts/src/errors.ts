/** Why the alerts could not be opened. */
export class AlertsError extends Error {
  /** `INVALID`: an option makes no sense. */
  readonly code: "INVALID";

  /** The option with the mistake, such as `rules[0].to.webhook` or `url`. */
  readonly option: string;

  constructor(message: string) {
    super(message);
    this.name = "AlertsError";
    this.code = "INVALID";
    this.option = /^(?:rules(?:\[\d+\])?(?:\.\w+)*|url\b)/.exec(message)?.[0] ?? "";
  }
}
