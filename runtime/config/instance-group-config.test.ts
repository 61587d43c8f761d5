import { describe, expect, it } from 'vitest';
import { instanceCount, instanceGroupsOf, sessionCount } from './instance-group-config.js';
import { parseModelConfig } from './parse-model-config.js';

function groupsOf(text: string): ReturnType<typeof instanceGroupsOf> {
  return instanceGroupsOf(parseModelConfig(text).message);
}

describe('instanceGroupsOf', () => {
  it('keeps passive groups, which run nothing and so need nothing', () => {
    const groups = groupsOf(`instance_group [
      { name: "a" count: 2 kind: KIND_CPU },
      { name: "b" count: 3 kind: KIND_CPU passive: true
        rate_limiter { resources [ { name: "R" count: 1 } ] } } ]`);

    expect(groups[1]).toEqual({
      ...{ name: 'b', kind: 'KIND_CPU', count: 3, gpus: [], isPassive: true },
    });
    expect([instanceCount(groups), sessionCount(groups)]).toEqual([2, 5]);
  });

  it.each([
    ['rate_limiter { priority: 2 }', { priority: 2, resources: [] }],
    ['rate_limiter { priority: 0 }', undefined],
    [
      'rate_limiter { resources [ { name: "R" count: 2 }, { name: "S" count: 0 } ] }',
      { priority: 1, resources: [{ name: 'R', isGlobal: false, count: 2 }] },
    ],
  ])('reads %s', (text, rateLimiter) => {
    const [group] = groupsOf(`instance_group [ { name: "g" count: 1 kind: KIND_CPU ${text} } ]`);

    expect(group?.rateLimiter).toEqual(rateLimiter);
  });
});
