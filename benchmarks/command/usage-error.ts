/** The command line of a benchmark is wrong. */
export class UsageError extends Error {}
