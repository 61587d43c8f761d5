// One stage of a cascade: where its legs go, what it is asked for, and what people see of it.

import { formatExitRule, type ExitRule, type StageConfig } from '../config/cascade-config.js';
import type { Clock } from '../core/clock.js';
import type { RequestedOutput } from '../core/inference.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { ModelRef } from './model-ref.js';

export interface CascadeStageParts {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

export class CascadeStage {
  readonly index: number;
  readonly config: StageConfig;
  readonly target: LegTarget;
  readonly requested: readonly RequestedOutput[];
  /** How many rows left by each of its rules. */
  readonly exits: readonly PipelineCounter[];
  readonly #catalog: ModelCatalog;

  constructor({ catalog, clock, wheel }: CascadeStageParts, config: StageConfig, index: number) {
    this.#catalog = catalog;
    this.index = index;
    this.config = config;
    this.target = {
      ...{ name: `stage ${index}`, clock, wheel },
      servable: new ModelRef(catalog, config.model),
      figures: new LegFigures(),
    };
    this.requested = config.outputs.map(({ part: name }) => ({ name, classCount: 0 }));
    this.exits = config.exits.map(exitCounter);
  }

  get node(): PipelineNode {
    const { model } = this.config;
    return {
      ...{ kind: 'stage', name: String(this.index), model },
      ...{ figures: this.target.figures, counters: this.exits },
      settings: settingsOf(this.config),
      children: [],
      after: this.index > 0 ? [String(this.index - 1)] : [],
    };
  }

  /** Rows that its model takes at once, as it is served now; Infinity while it is not. */
  maxRows(): number {
    const { name, version } = this.config.model;
    try {
      const handle = this.#catalog.acquire(name, version > 0 ? String(version) : '');
      const size = Number(handle.model.configMessage['max_batch_size'] ?? 0);
      handle.release();
      return size || Infinity;
    } catch {
      // The leg that is sent ends with the error.
      return Infinity;
    }
  }
}

// ---- details below; callers need not read ----

function exitCounter(rule: ExitRule): PipelineCounter {
  return new PipelineCounter('exits', { rule: formatExitRule(rule), decision: rule.decision });
}

function settingsOf({ exits, continues, timeoutMs }: StageConfig): Record<string, string> {
  const rules = exits.map((rule) =>
    rule.decision === '' ? formatExitRule(rule) : `${formatExitRule(rule)}: ${rule.decision}`,
  );
  return {
    ...(rules.length > 0 && { exit_when: rules.join(', ') }),
    ...(timeoutMs !== Infinity && { timeout: `${timeoutMs} ms` }),
    ...(continues && { on_error: 'CONTINUE' }),
  };
}
