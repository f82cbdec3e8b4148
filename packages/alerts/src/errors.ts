/** Why the alerts could not be opened. */
export class AlertsError extends Error {
  /** `INVALID`: an option makes no sense. */
  readonly code: "INVALID";

  constructor(message: string) {
    super(message);
    this.name = "AlertsError";
    this.code = "INVALID";
  }
}
