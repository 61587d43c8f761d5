// A receiver of OpenTelemetry traces: OTLP over HTTP with protobuf, as a collector has it. Messages by the fields of
// opentelemetry/proto/trace/v1/trace.proto that the tests look at.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

export interface ReceivedSpan {
  readonly service: string;
  /** Attributes of the process that sent it. */
  readonly resource: Readonly<Record<string, string | number>>;
  readonly name: string;
  /** Hexadecimal; parentId is '' for a root. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2: an error. */
  readonly statusCode: number;
}

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly #server: Server;

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        if (request.url === '/v1/traces') this.spans.push(...spansOf(body));
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
  }

  /** What OTEL_EXPORTER_OTLP_ENDPOINT is set to. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

// ---- details below; callers need not read ----

const { root } = protobuf.parse(
  `syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; Status status = 15;
  }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; int64 int_value = 3; double double_value = 4; } }`,
  { keepCase: true },
);
const REQUEST = root.lookupType('Request');

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number>>;
}

interface WireSpan {
  readonly trace_id: Buffer;
  readonly span_id: Buffer;
  readonly parent_span_id: Buffer;
  readonly name: string;
  readonly start_time_unix_nano: number;
  readonly end_time_unix_nano: number;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: number } | null;
}

interface WireRequest {
  readonly resource_spans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scope_spans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

function spansOf(body: Buffer): ReceivedSpan[] {
  const options = { longs: Number, defaults: true, arrays: true };
  const { resource_spans: resources } = REQUEST.toObject(
    REQUEST.decode(body),
    options,
  ) as unknown as WireRequest;
  return resources.flatMap(({ resource, scope_spans: scopes }) => {
    const attributes = attributesOf(resource.attributes);
    return scopes.flatMap(({ spans }) => spans.map((span) => spanOf(attributes, span)));
  });
}

function spanOf(resource: ReceivedSpan['resource'], span: WireSpan): ReceivedSpan {
  return {
    service: String(resource['service.name']),
    resource,
    name: span.name,
    traceId: span.trace_id.toString('hex'),
    spanId: span.span_id.toString('hex'),
    parentId: span.parent_span_id.toString('hex'),
    from: span.start_time_unix_nano / 1e6,
    to: span.end_time_unix_nano / 1e6,
    attributes: attributesOf(span.attributes),
    statusCode: span.status?.code ?? 0,
  };
}

function attributesOf(pairs: readonly KeyValue[]): Record<string, string | number> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]!]));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
