/**
 * The seed of all random choices of the suite. The same in every run, so that a change is judged by itself;
 * others explore: `OJM_SEED=$RANDOM npm run unit -- test/conformance`.
 */
export const seed: number = Number(process.env.OJM_SEED ?? 4_711);
