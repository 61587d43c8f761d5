// One server that has the model: its connection, what became of the requests sent to it, and whether it should get more.

import type { EjectionConfig } from '../config/remote-config.js';
import type { Clock } from '../core/clock.js';
import { LegFigures } from '../core/leg.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import { Ejection } from './ejection.js';
import type { EndpointConnection } from './endpoint-connection.js';

/** EJECTED: by what became of its requests. UNHEALTHY: it says so. DOWN: it cannot be reached. */
export type EndpointState = 'SERVING' | 'IDLE' | 'EJECTED' | 'UNHEALTHY' | 'DOWN';

export class Endpoint implements PipelineNode {
  readonly kind = 'endpoint';
  readonly address: string;
  readonly connection: EndpointConnection;
  readonly figures = new LegFigures();
  readonly ejections = new PipelineCounter('ejections');
  readonly counters = [this.ejections];
  readonly children: readonly PipelineNode[] = [];
  readonly ejection: Ejection;
  readonly #clock: Clock;
  /** What its health service says; true without one. */
  isHealthy = true;

  constructor(
    address: string,
    connection: EndpointConnection,
    { clock, ejection }: { readonly clock: Clock; readonly ejection: EjectionConfig },
  ) {
    this.address = address;
    this.connection = connection;
    this.ejection = new Ejection(ejection);
    this.#clock = clock;
  }

  get name(): string {
    return this.address;
  }

  isUsable(now: number): boolean {
    return this.isHealthy && !this.ejection.isEjected(now);
  }

  state(): EndpointState {
    if (this.ejection.isEjected(this.#clock.now())) return 'EJECTED';
    if (!this.isHealthy) return 'UNHEALTHY';
    const { state } = this.connection;
    if (state === 'down') return 'DOWN';
    return state === 'ready' ? 'SERVING' : 'IDLE';
  }
}
