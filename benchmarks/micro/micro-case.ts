// One operation of the road of a request, to be timed by itself.

export interface MicroCase {
  readonly name: string;
  /** Operations in one call of `run`; what is printed is per operation. */
  readonly operations: number;
  /** Its result is looked at, so that no compiler leaves the work out. */
  run(): unknown;
}
