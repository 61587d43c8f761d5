import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { FakeStreamCall } from '../testing/fake-grpc-call.js';
import { GRPC } from './grpc-status.js';
import type { GrpcMethod } from './grpc-transport.js';
import { reflectionMethods } from './reflection-service.js';

// As much of https://github.com/grpc/grpc/blob/master/src/proto/grpc/reflection/v1/reflection.proto as a client needs.
const root = protobuf.parse(
  `syntax = "proto3";
   message Request {
     string file_by_filename = 3;
     string file_containing_symbol = 4;
     string list_services = 7;
   }
   message Response {
     message Files { repeated bytes file_descriptor_proto = 1; }
     message Service { string name = 1; }
     message Services { repeated Service service = 1; }
     message Error { int32 error_code = 1; string error_message = 2; }
     Files file_descriptor_response = 4;
     Services list_services_response = 6;
     Error error_response = 7;
   }`,
  { keepCase: true },
).root;
const Request = root.lookupType('Request');
const Response = root.lookupType('Response');

interface Answer {
  readonly file_descriptor_response?: { readonly file_descriptor_proto: Buffer[] };
  readonly list_services_response?: { readonly service: { readonly name: string }[] };
  readonly error_response?: { readonly error_code: number };
}

function encode(request: Record<string, string>): Buffer {
  return Buffer.from(Request.encode(Request.fromObject(request)).finish());
}

const V1 = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const V1_ALPHA = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';

async function open(
  path = V1,
  methods: GrpcMethod[] = reflectionMethods(),
): Promise<FakeStreamCall> {
  const call = new FakeStreamCall();
  const method = methods.find((candidate) => candidate.path === path);
  if (method?.kind === 'stream') method.handle(call);
  await call.listens;
  return call;
}

async function ask(call: FakeStreamCall, request: Record<string, string>): Promise<Answer> {
  const before = call.sent.length;
  call.write(encode(request));
  await call.sentCount(before + 1);
  return Response.toObject(Response.decode(call.sent[before]!));
}

describe('reflection', () => {
  it.each([V1, V1_ALPHA])('lists the services at %s', async (path) => {
    const { list_services_response: list } = await ask(await open(path), { list_services: '*' });

    expect(list?.service.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['inference.GRPCInferenceService', 'grpc.health.v1.Health']),
    );
  });

  it.each([
    ['inference.GRPCInferenceService', 'ModelStreamInfer'],
    ['inference.ModelInferRequest', 'raw_input_contents'],
    ['inference.ModelConfig', 'max_batch_size'],
    ['grpc.health.v1.Health', 'HealthCheckRequest'],
  ])('describes %s', async (symbol, part) => {
    const answer = await ask(await open(), { file_containing_symbol: symbol });

    const files = answer.file_descriptor_response?.file_descriptor_proto ?? [];
    expect(Buffer.concat(files).includes(part)).toBe(true);
  });

  it('answers NOT_FOUND for what is not there, and goes on', async () => {
    const call = await open();

    const missing = await ask(call, { file_containing_symbol: 'no.such.Symbol' });
    const list = await ask(call, { list_services: '*' });

    expect(missing.error_response?.error_code).toBe(GRPC.NOT_FOUND);
    expect(list.list_services_response).toBeDefined();
    expect([call.failures, call.finished]).toEqual([[], false]);
  });

  it('ends when the caller has no more questions', async () => {
    const call = await open();

    call.halfClose();
    await call.ended;

    expect([call.finished, call.failures]).toEqual([true, []]);
  });

  it('serves callers at once, each on its own stream', async () => {
    const methods = reflectionMethods();
    const [first, second] = await Promise.all([open(V1, methods), open(V1, methods)]);

    first.halfClose();
    const { list_services_response: list } = await ask(second, { list_services: '*' });

    expect([first.finished, second.finished, list?.service.length]).toEqual([true, false, 3]);
    expect(first.sent).toEqual([]);
  });

  it('fails a call that sends what is no message', async () => {
    const call = await open();

    call.write(Buffer.of(0xff));

    expect(call.failures).toHaveLength(1);
    expect(call.sent).toEqual([]);
  });

  it('tells a caller that sends what is no message that the caller is at fault', async () => {
    const call = await open();

    call.write(Buffer.of(0xff));

    expect(call.failures).toMatchObject([{ code: GRPC.INVALID_ARGUMENT }]);
  });
});
