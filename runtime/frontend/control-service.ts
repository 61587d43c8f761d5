// inferd.v1.Control: how models are put together, and how the parts fare. Messages: proto/inferd_control.proto.

import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import type { LegFigures } from '../core/leg.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import { LATEST, parseModelVersion } from '../core/model-version.js';
import type { PipelineCounter, PipelineNode } from '../core/pipeline-node.js';
import type { GrpcMethod } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { unaryMethod } from './unary-method.js';

export interface ControlParts {
  readonly catalog: Pick<ModelCatalog, 'readyVersions'>;
  readonly clock: Clock;
}

export function controlMethods(parts: ControlParts): GrpcMethod[] {
  return [
    controlMethod('Pipelines', (request) => pipelines(request, parts)),
    controlMethod('CircuitBreakers', (request) => circuitBreakers(request, parts)),
  ];
}

// ---- details below; callers need not read ----

function controlMethod(name: string, answer: (request: Message) => Message): GrpcMethod {
  const types = { request: `inferd.v1.${name}Request`, response: `inferd.v1.${name}Response` };
  return unaryMethod(`/inferd.v1.Control/${name}`, types, answer);
}

function pipelines(request: Message, { catalog, clock }: ControlParts): Message {
  const name = String(request['model_name']);
  const version = parseModelVersion(String(request['model_version']));
  const models = readyModels(catalog, name).filter(
    (model) => version === LATEST || model.version === version,
  );
  if (name !== '' && models.length === 0) {
    const text = `Request for unknown model: '${name}' version ${version} is not found`;
    throw new RuntimeError('NOT_FOUND', text);
  }
  const now = clock.now();
  return {
    pipelines: models
      // Who names a model wants to see it, whatever it is.
      .filter(({ pipeline }) => name !== '' || pipeline)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version))
      .map((model) => ({
        name: model.name,
        version: String(model.version),
        root: nodeMessage(model.pipeline ?? leafOf(model), now),
      })),
  };
}

function circuitBreakers(request: Message, { catalog }: ControlParts): Message {
  const models = readyModels(catalog, String(request['model_name']));
  const breakers = models.flatMap(({ name, version, pipeline }) =>
    (pipeline ? nodesOf(pipeline) : [])
      .filter(({ kind }) => kind === 'circuit-breaker')
      .map((breaker) => ({
        model_name: name,
        model_version: String(version),
        state: breaker.state?.() ?? '',
        settings: breaker.settings ?? {},
        counters: (breaker.counters ?? []).map(counterMessage),
      })),
  );
  return { circuit_breakers: breakers };
}

function readyModels(catalog: ControlParts['catalog'], name: string): readonly ServedModel[] {
  const models = catalog.readyVersions(name);
  if (name === '' || models.length > 0) return models;
  throw new RuntimeError('NOT_FOUND', `Request for unknown model: '${name}' is not found`);
}

/** A model with nothing around it. */
function leafOf({ name, version }: ServedModel): PipelineNode {
  return { kind: 'model', name: '', model: { name, version }, children: [] };
}

function nodesOf(node: PipelineNode): PipelineNode[] {
  return [node, ...node.children.flatMap(nodesOf)];
}

function nodeMessage(node: PipelineNode, now: number): Message {
  const { kind, name, model, figures, counters = [], settings = {}, children, after = [] } = node;
  return {
    kind,
    name,
    ...(model && {
      model: { name: model.name, version: model.version > 0 ? String(model.version) : '' },
    }),
    ...(figures && { figures: figuresMessage(figures, now) }),
    counters: counters.map(counterMessage),
    state: node.state?.() ?? '',
    settings,
    after,
    children: children.map((child) => nodeMessage(child, now)),
  };
}

function figuresMessage(figures: LegFigures, now: number): Message {
  const { sent, answered, failed, timedOut, abandoned, rows, totalMs, latency } = figures;
  return {
    ...{ sent, answered, failed, timed_out: timedOut, abandoned, rows },
    mean_microseconds: answered === 0 ? 0 : Math.round((totalMs / answered) * 1000),
    p50_microseconds: latency.quantile(0.5, now) || 0,
    p99_microseconds: latency.quantile(0.99, now) || 0,
  };
}

function counterMessage({ name, labels, value }: PipelineCounter): Message {
  return { name, labels, value };
}
