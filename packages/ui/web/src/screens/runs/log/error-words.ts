/** A word that programs write when they fail, unless its count is 0 or it is negated. */
const ERROR =
  /\b(?<!\b(?:0|no|zero|without)\s+(?:any\s+)?)(?:errors?|fatal|panic|exceptions?|traceback)\b(?!["']?\s*[=:]\s*(?:0\b|(?:null|false)(?=[,}\]]|$)))/i;

/** Whether a line mentions an error, whatever its level: the output of a command has no levels. */
export const saysError = (text: string): boolean => ERROR.test(text);
