// A subcommand that did what it was asked to, and the answer is no: exit code 1.

export class SubcommandFailed extends Error {
  /** `message` is a sentence for people; '' where everything has been said already. */
  constructor(message = '') {
    super(message);
    this.name = 'SubcommandFailed';
  }
}
