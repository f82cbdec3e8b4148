import {
  either,
  type Fields,
  filledRecord,
  flag,
  map,
  mapWithOneOf,
  required,
  type Shape,
  some,
  text,
  variables,
} from "./shape.js";

/** An item of `envFile`. */
export const envFileItem: Shape = either(
  "A file of variables.",
  text("A file with lines like NAME=value."),
  map(
    {
      path: required(text("A file with lines like NAME=value.")),
      required: flag("Whether the file must be there. Default: true."),
    },
    "A file of variables that may be missing.",
  ),
);

/** The environment of a file or of a job. */
export const environment: Fields = {
  env: variables("Variables of the environment. They win over those of `envFile`."),
  envFile: some(envFileItem, "Files with variables of the environment. A later one wins."),
};

/** The secrets of a file. */
export const secrets: Shape = filledRecord(
  mapWithOneOf(
    ["env", "file"],
    { env: text("The variable of the environment that has the value."), file: text("The file that holds the value.") },
    "Where the value of a secret comes from.",
  ),
  "Secrets that jobs may ask for. Their values are masked in everything that is shown or recorded.",
);

/** A secret that a job asks for. */
export const secretUse: Shape = either(
  "A secret.",
  text("The name of a secret, which becomes an argument."),
  map(
    {
      name: required(text("The name of the secret.")),
      arg: text("The name of the argument. Default: that of the secret, unless `env` is there."),
      env: text("The variable of the environment that gets the value."),
    },
    "A secret, and how the job gets it.",
  ),
);

/** The secrets that a job asks for. */
export const secretUses: Shape = some(secretUse, "Secrets of the file that this job gets.");
