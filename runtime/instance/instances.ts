// PORT: the instances of one model version, as its assembly sees them.

import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { RuntimeError } from '../core/errors.js';
import type { BatchRunner } from '../scheduler/batch-runner.js';

export interface Instances extends BatchRunner {
  /** Instances there are now. */
  readonly size: number;
  /** Has the instances that `groups` ask for from then on. When that cannot be, nothing changes. */
  update(groups: readonly InstanceGroupSpec[]): Promise<void>;
  /** `listener` is called once, when no instance will run any more; at once if that has happened already. */
  onLost(listener: (error: RuntimeError) => void): void;
  /** `listener` is called whenever what waits cannot be served, though what comes later may be. */
  onRefused?(listener: (error: RuntimeError) => void): void;
  /** Waits for what runs, then frees the sessions. */
  close(): Promise<void>;
}
