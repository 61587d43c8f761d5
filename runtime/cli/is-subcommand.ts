// Apart from `subcommands.ts`, so that the server starts without loading them.

/** Whether the arguments name a subcommand, known or not: flags of the server begin with a dash. */
export function isSubcommand([first]: readonly string[]): boolean {
  return first !== undefined && first !== '' && !first.startsWith('-');
}
