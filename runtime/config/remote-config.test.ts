import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { readRemoteConfig, type RemoteConfigReading } from './remote-config.js';

function read(parameters: Readonly<Record<string, string>>, more = ''): RemoteConfigReading {
  const entries = Object.entries(parameters).map(
    ([key, value]) => `parameters { key: "${key}" value { string_value: "${value}" } }`,
  );
  const text = `name: "m" backend: "remote" ${entries.join(' ')} ${more}`;
  return readRemoteConfig(parseModelConfig(text).message);
}

function problems(parameters: Readonly<Record<string, string>>, more = ''): string[] {
  return read(parameters, more).problems.map(({ path, message }) => `${path}: ${message}`);
}

const AT = { endpoints: 'a:1' };

describe('readRemoteConfig', () => {
  it('needs nothing but endpoints', () => {
    const { config, problems: none } = read({ endpoints: 'a:8001, [::1]:8002,dns:///name:8001' });

    expect(none).toEqual([]);
    expect(config).toEqual({
      endpoints: [
        { address: 'a:8001', isName: false },
        { address: '[::1]:8002', isName: false },
        { address: 'name:8001', isName: true },
      ],
      modelName: 'm',
      modelVersion: '',
      tls: undefined,
      ejection: { failures: 5, baseMs: 10_000, maxMs: 300_000 },
      healthCheck: false,
    });
  });

  it('takes the name and the version at the endpoints, files of TLS and what ejects', () => {
    const { config, problems: none } = read({
      ...{ ...AT, model: 'other', version: '3', health_check: 'true' },
      ...{ tls_ca: 'ca.pem', tls_cert: 'c.pem', tls_key: 'k.pem', tls_server_name: 'inferd' },
      ...{ eject_after_failures: '0', ejection_ms: '5', max_ejection_ms: '50' },
    });

    expect(none).toEqual([]);
    expect(config).toMatchObject({
      ...{ modelName: 'other', modelVersion: '3', healthCheck: true },
      tls: { ca: 'ca.pem', certificate: 'c.pem', key: 'k.pem', serverName: 'inferd' },
      ejection: { failures: Infinity, baseMs: 5, maxMs: 50 },
    });
  });

  it('trusts whom Node trusts when TLS is merely asked for', () => {
    expect(read({ ...AT, tls: 'true' }).config.tls).toEqual({
      ...{ ca: '', certificate: '', key: '', serverName: '' },
    });
  });

  it.each([
    [{}, 'endpoints', 'must name its endpoints'],
    [{ endpoints: ' , ' }, 'endpoints', 'must name its endpoints'],
    [{ endpoints: 'http://a:1' }, 'endpoints', "endpoint 'http://a:1' is neither host:port"],
    [{ endpoints: 'a' }, 'endpoints', "endpoint 'a' is neither"],
    [{ endpoints: 'a:0' }, 'endpoints', "endpoint 'a:0' is neither"],
    [{ endpoints: 'a:70000' }, 'endpoints', "endpoint 'a:70000' is neither"],
    [{ endpoints: 'a:1,b:1,a:1' }, 'endpoints', "endpoint 'a:1' is named twice"],
    [{ ...AT, version: '-1' }, 'version', "positive whole number, got '-1'"],
    [{ ...AT, tls: 'yes' }, 'tls', "must be 'true' or 'false', got 'yes'"],
    [{ ...AT, tls_cert: 'c' }, 'tls_cert', 'needs tls_key'],
    [{ ...AT, tls_key: 'k' }, 'tls_key', 'needs tls_cert'],
    [{ ...AT, tls_ca: '/etc/ca' }, 'tls_ca', "inside the directory of the model, got '/etc/ca'"],
    [{ ...AT, tls_ca: '../ca' }, 'tls_ca', "inside the directory of the model, got '../ca'"],
    [{ ...AT, tls: 'false', tls_ca: 'ca' }, 'tls_ca', "no use with tls 'false'"],
    [{ ...AT, tls_server_name: 'n' }, 'tls_server_name', "needs tls 'true' or tls_ca"],
    [{ ...AT, eject_after_failures: 'x' }, 'eject_after_failures', "got 'x'"],
  ])('refuses %j', (parameters, key, text) => {
    const found = problems(parameters);

    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(`parameters["${key}"].string_value: `);
    expect(found[0]).toMatch(text);
  });

  it.each([
    ['dynamic_batching { }', 'dynamic_batching'],
    ['sequence_batching { }', 'sequence_batching'],
    ['instance_group { count: 2 }', 'instance_group'],
    ['model_warmup { name: "w" }', 'model_warmup'],
    ['response_cache { enable: true }', 'response_cache'],
    ['input { name: "x" dims: 1 reshape { } }', 'input[0].reshape'],
    ['output { name: "y" dims: 1 reshape { } }', 'output[0].reshape'],
  ])('refuses %s, which is no remote model’s', (more, path) => {
    expect(problems(AT, more)).toEqual([expect.stringMatching(path.replaceAll(/[[\]]/g, '\\$&'))]);
  });

  it('finds all problems at once', () => {
    const found = problems({ version: 'x', tls_cert: '/c' }, 'dynamic_batching { }');

    expect(found.map((problem) => problem.slice(0, problem.indexOf(': ')))).toEqual([
      'parameters["endpoints"].string_value',
      'parameters["version"].string_value',
      'parameters["tls_cert"].string_value',
      'parameters["tls_cert"].string_value',
      'dynamic_batching',
    ]);
  });
});
