/** A wrong value on the command line or in the environment; the message is one line that says what to write instead. */
export class InvalidOption extends Error {}
