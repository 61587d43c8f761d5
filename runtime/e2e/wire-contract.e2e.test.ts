// Does proto/ say what Triton's protocol says, and beyond it only what is marked as ours?

import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { OWN_TYPES, compareWithContract, typesBeyondContract } from './contract-rows.js';
import { loadProto } from './replay/message-json.js';

const TABLE = readFileSync(new URL('golden/wire-contract.tsv', import.meta.url), 'utf8');
const SAME = { missing: [], unexpected: [] };

describe('proto/', () => {
  it('is the wire contract and our own fields, nothing else', () => {
    expect(compareWithContract(loadProto(), TABLE)).toEqual(SAME);
  });

  it('has no types beyond the contract except those of our own fields', () => {
    expect(typesBeyondContract(loadProto()).sort()).toEqual([...OWN_TYPES].sort());
  });
});

describe('compareWithContract', () => {
  const changes: [what: string, row: string, changed: string][] = [
    [
      'a number',
      'field\tinference.ModelReadyRequest\tname\t1\t',
      'field\tinference.ModelReadyRequest\tname\t9\t',
    ],
    ['a name', 'ModelReadyRequest\tversion\t', 'ModelReadyRequest\trevision\t'],
    [
      'a label',
      'ModelMetadataResponse\tversions\t2\trepeated',
      'ModelMetadataResponse\tversions\t2\t',
    ],
    ['a type', 'ModelReadyResponse\tready\t1\t\tbool', 'ModelReadyResponse\tready\t1\t\tint32'],
    [
      'the value of a map',
      'cc_model_filenames\t9\t\tmap<string,string>',
      'cc_model_filenames\t9\t\tmap<string,bytes>',
    ],
    ['a oneof', 'int64_param\t2\t\tint64\toneof parameter_choice', 'int64_param\t2\t\tint64\t'],
    ['an enum value', 'ModelInput.Format\tFORMAT_NCHW\t2', 'ModelInput.Format\tFORMAT_NCHW\t3'],
    [
      'streaming',
      'stream inference.ModelStreamInferResponse',
      'inference.ModelStreamInferResponse',
    ],
    [
      'an answer',
      'ServerLive\tinference.ServerLiveRequest\tinference.ServerLiveResponse',
      'ServerLive\tinference.ServerLiveRequest\tinference.ServerReadyResponse',
    ],
  ];
  it.each(changes)('finds that %s differs', (_what, row, changed) => {
    const rows = TABLE.split(row).length - 1;

    const { missing, unexpected } = compareWithContract(
      loadProto(),
      TABLE.replaceAll(row, changed),
    );

    expect(rows).toBeGreaterThan(0);
    expect([missing.length, unexpected.length]).toEqual([rows, rows]);
  });

  it('finds what the proto lacks', () => {
    const row = 'message\tinference.Added\t(empty)';

    expect(compareWithContract(loadProto(), `${TABLE}${row}\n`)).toEqual({
      ...SAME,
      missing: [row],
    });
  });

  it('finds a field below the numbers that are ours, and allows one among them', () => {
    const root = loadProto();
    const type = root.lookupType('inference.ModelReadyRequest');
    type.add(new protobuf.Field('added', 1000, 'string'));
    type.add(new protobuf.Field('own', 1001, 'string'));

    expect(compareWithContract(root, TABLE)).toEqual({
      ...SAME,
      unexpected: ['field\tinference.ModelReadyRequest\tadded\t1000\t\tstring'],
    });
  });

  it('finds a message that is not ours, even when only an own field uses it', () => {
    const root = loadProto();
    root.define('inference').add(new protobuf.Type('Added'));
    const field = new protobuf.Field('added', 1099, 'inference.Added');
    root.lookupType('inference.ModelConfig').add(field);
    field.resolve();

    expect(compareWithContract(root, TABLE).unexpected).toEqual([
      'message\tinference.Added\t(empty)',
    ]);
    expect(typesBeyondContract(root)).toContain('.inference.Added');
  });

  it('finds a method that is not ours', () => {
    const root = loadProto();
    const [request, response] = ['HealthCheckRequest', 'HealthCheckResponse'] as const;
    const method = new protobuf.Method('List', 'rpc', request, response);
    root.lookupService('grpc.health.v1.Health').add(method);
    method.resolve();

    expect(compareWithContract(root, TABLE).unexpected).toEqual([
      'rpc\tgrpc.health.v1.Health\tList\tgrpc.health.v1.HealthCheckRequest\tgrpc.health.v1.HealthCheckResponse',
    ]);
  });
});
