// A remote model on endpoints without servers and a clock that stands still.

import type { EjectionConfig } from '../config/remote-config.js';
import { Call, type Pace, type TraceSource } from '../core/call.js';
import type { DataType } from '../core/data-type.js';
import type { InferenceRequest } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RemoteModel } from '../remote/answer.js';
import { Endpoints } from '../remote/endpoints.js';
import { RemoteServable } from '../remote/remote-servable.js';
import { RecordedReply, aRequest } from './build.js';
import { FakeClock } from './fake-clock.js';
import { FakeEndpointConnection, type FakeStream } from './fake-endpoint-connection.js';

export interface Asked {
  readonly call: Call;
  readonly reply: RecordedReply;
}

export interface RemoteBenchOptions extends Partial<EjectionConfig> {
  readonly decoupled?: boolean;
  readonly outputType?: DataType;
}

export class RemoteBench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly statistics = new ModelStatistics();
  readonly connections: FakeEndpointConnection[] = [];
  readonly endpoints: Endpoints;
  readonly servable: RemoteServable;

  constructor(
    addresses: readonly string[] = ['a:1'],
    { decoupled = false, outputType = 'FP32', ...ejection }: RemoteBenchOptions = {},
  ) {
    const { clock, statistics, wheel } = this;
    this.endpoints = new Endpoints({
      clock,
      ejection: { failures: 3, baseMs: 1000, maxMs: 2500, ...ejection },
      open: (address) => {
        const connection = new FakeEndpointConnection(address);
        this.connections.push(connection);
        return connection;
      },
    });
    this.endpoints.become(addresses);
    const model = new RemoteModel({
      ...{ name: 'm', version: '1', batched: true, decoupled },
      remote: { name: 'there', version: '' },
      outputs: [{ name: 'OUTPUT0', dataType: outputType, shape: [-1, 2] }],
    });
    this.servable = new RemoteServable({
      ...{ model, endpoints: this.endpoints, statistics, clock, wheel },
    });
  }

  at(address: string): FakeEndpointConnection {
    return this.connections.find((connection) => connection.address === address)!;
  }

  ask(
    options: {
      request?: InferenceRequest;
      deadline?: number;
      /** As in Call: "m a:1". */
      tried?: string[];
      limit?: number;
      pace?: Pace;
      trace?: TraceSource;
    } = {},
  ): Asked {
    const caller = new Call(this.clock.now(), options.deadline);
    const call =
      options.limit === undefined ? caller : caller.child(this.clock.now(), options.limit);
    call.tried = options.tried;
    call.pace = options.pace;
    call.trace = options.trace;
    const reply = new RecordedReply();
    this.servable.infer(options.request ?? aRequest(), call, reply);
    return { call, reply };
  }

  /** The latest stream there. */
  streamAt(address: string): FakeStream {
    return this.at(address).streams.at(-1)!;
  }

  /** Which endpoint the next requests go to; all are answered. */
  route(count: number): string {
    return Array.from({ length: count }, () => {
      this.ask();
      const [asked] = this.connections.filter(({ open }) => open.length > 0);
      asked!.answer();
      return asked!.address.replace(/:1$/, '');
    }).join('');
  }

  /** So many requests to one endpoint, which fails them all. */
  break(address: string, count = 3): void {
    const others = this.endpoints.all
      .filter((each) => each.address !== address)
      .map((each) => `m ${each.address}`);
    for (let i = 0; i < count; i++) {
      this.ask({ tried: [...others] });
      this.at(address).fail();
    }
  }
}
