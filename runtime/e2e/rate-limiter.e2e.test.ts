// Models that share a resource (--rate-limit=execution_count), over real sockets and threads.

import { afterAll, describe, expect, it } from 'vitest';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { OtlpReceiver } from './harness/otlp-receiver.js';
import { fp32, inferRequest } from './harness/requests.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { TestClient, executions } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const SIDE = 700;
const LIMITED = '--rate-limit=execution_count';

/** Takes tens of milliseconds of its thread. */
const SLOW: OnnxGraph = {
  inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: [SIDE, 1] }],
  outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: [SIDE, 1] }],
  nodes: [
    { op: 'Transpose', inputs: ['x'], outputs: ['t'], ints: { perm: [1, 0] } },
    { op: 'MatMul', inputs: ['x', 't'], outputs: ['a'] },
    { op: 'MatMul', inputs: ['a', 'a'], outputs: ['b'] },
    { op: 'MatMul', inputs: ['b', 'b'], outputs: ['c'] },
    { op: 'MatMul', inputs: ['c', 'x'], outputs: ['y'] },
  ],
};

const request = (model: string): ReturnType<typeof inferRequest> =>
  inferRequest(model, [fp32('x', [SIDE, 1], Array<number>(SIDE).fill(0))]);

/** One instance each. */
function repositoryOf(limiters: Readonly<Record<string, string>>): TemporaryRepository {
  const repository = new TemporaryRepository();
  for (const [name, limiter] of Object.entries(limiters))
    repository.model(
      name,
      SLOW,
      `max_batch_size: 0 parameters { key: "intra_op_thread_count" value { string_value: "1" } }
       instance_group [ { count: 1 kind: KIND_CPU rate_limiter { ${limiter} } } ]`,
    );
  repositories.push(repository);
  return repository;
}

const repositories: TemporaryRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.remove();
});

/** One execution, as the server measured it. */
interface Execution {
  readonly model: string;
  readonly from: number;
  /** In the middle of its computing: the time of day, in which spans are told, is known to a millisecond or two only. */
  readonly middle: number;
}

/** Asks both models so many times at once. Returns the executions in the order in which they began, and their numbers. */
async function raced(
  repository: TemporaryRepository,
  flags: readonly string[],
  times: number,
): Promise<{ ran: Execution[]; counted: [number, number][][] }> {
  const receiver = await OtlpReceiver.start();
  const server = await TestServer.start({
    repository: repository.path,
    flags: [...flags, `--trace-config=opentelemetry,url=${receiver.endpoint}/v1/traces`],
  });
  const client = new TestClient(server.ports.grpc);
  const counted: [number, number][][] = [];
  try {
    const models = ['second', 'first'];
    const asked = models.flatMap((name) => Array<string>(times).fill(name));
    await Promise.all(asked.map((name) => client.infer(request(name))));
    for (const name of models) counted.push(await executions(client, name));
  } finally {
    client.close();
    expect(await server.stop()).toBe(0);
    await receiver.stop();
  }
  return { ran: executionsOf(receiver), counted };
}

function executionsOf(receiver: OtlpReceiver): Execution[] {
  const models = new Map(
    receiver.spans.map(({ spanId, attributes }) => [spanId, attributes['inferd.model.name']]),
  );
  return receiver
    .named('compute')
    .map((span) => ({
      model: String(models.get(span.parentId)),
      from: span.from,
      middle: span.from + Number(span.attributes['inferd.compute_infer_ms']) / 2,
    }))
    .sort((a, b) => a.from - b.from);
}

/** Executions that began while another one was under way. */
function overlapping(ran: readonly Execution[]): Execution[] {
  return ran.filter(({ from }, at) => at > 0 && from < ran[at - 1]!.middle);
}

describe('two models that share a resource', () => {
  const limiters = {
    first: 'resources [ { name: "R" count: 4 } ]',
    second: 'resources [ { name: "R" count: 4 } ] priority: 2',
  };

  it.each([
    ['as much as one of them needs', ['--rate-limit-resource=R:4']],
    ['too little for both', ['--rate-limit-resource=R:7:0']],
    ['what nobody said', []],
  ])(
    'never run at once where there is %s, and the one of priority 2 runs half as often',
    async (_, flags) => {
      const { ran, counted } = await raced(repositoryOf(limiters), [LIMITED, ...flags], 24);

      expect(counted).toEqual([[[1, 24]], [[1, 24]]]);
      expect(ran).toHaveLength(48);
      expect(overlapping(ran)).toEqual([]);
      const firstIsDone = ran.findLastIndex(({ model }) => model === 'first');
      const secondRan = ran.slice(0, firstIsDone).filter(({ model }) => model === 'second');
      expect([11, 12, 13]).toContain(secondRan.length);
    },
  );

  it.each([
    ['where there is enough for both', [LIMITED, '--rate-limit-resource=R:8']],
    ['where nobody looks at resources', []],
  ])('run at once %s', async (_, flags) => {
    const { ran } = await raced(repositoryOf(limiters), flags, 8);

    expect(overlapping(ran)).not.toEqual([]);
  });
});

describe('a server that has too little of a resource', () => {
  const needs4 = { m: 'resources [ { name: "R" count: 4 } ]' };

  async function told(repository: TemporaryRepository, flags: readonly string[]): Promise<string> {
    const server = await TestServer.start({ repository: repository.path, flags });
    expect(await server.exited).toBe(1);
    return server.told;
  }

  it.each([
    ['R:1', 1],
    ['R:9:1', 0],
    ['S:9', 0],
  ])('with --rate-limit-resource=%s does not load who needs more', async (resource, count) => {
    const flags = [LIMITED, `--rate-limit-resource=${resource}`];

    expect(await told(repositoryOf(needs4), flags)).toContain(
      `Resource count for "R" is limited to ${count} which will prevent scheduling of one or more model instances, the minimum required count is 4`,
    );
  });

  it('does not load who calls global what is not', async () => {
    const repository = repositoryOf({
      ...needs4,
      n: 'resources [ { name: "R" global: true count: 4 } ]',
    });

    expect(await told(repository, [LIMITED])).toContain(
      'Resource "R" is present as both global and device-specific resource in the model configuration.',
    );
  });

  it('is not started by a flag that nobody can read', async () => {
    expect(await told(repositoryOf(needs4), ['--rate-limit-resource=R'])).toContain(
      "--rate-limit-resource option format is '<resource_name>:<count>:<device>' or '<resource_name>:<count>'. Got R",
    );
  });
});
