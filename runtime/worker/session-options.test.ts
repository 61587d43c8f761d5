import { describe, expect, it } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import type { LoadInput } from './protocol.js';
import { sessionOptions } from './session-options.js';

function anInput(entries: Record<string, string> = {}): LoadInput {
  return {
    kind: 'load',
    session: 1,
    modelPath: 'model.onnx',
    settings: { ...readSessionSettings({}).settings, entries },
    providers: ['cpu'],
    deviceId: 1,
    intraOpThreads: 2,
  };
}

describe('sessionOptions', () => {
  it('names a device for the provider that can be told one', () => {
    expect(sessionOptions(anInput(), 'cpu', 4).executionProviders).toEqual(['cpu']);
    expect(sessionOptions(anInput(), 'webgpu', 4).executionProviders).toEqual(['webgpu']);
    expect(sessionOptions(anInput(), 'cuda', 4).executionProviders).toEqual([
      { name: 'cuda', deviceId: 1 },
    ]);
  });

  it('lets no thread spin unless that is asked for', () => {
    expect(sessionOptions(anInput(), 'cpu', 4).extra).toEqual({
      session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } },
    });
    expect(
      sessionOptions(anInput({ 'session.intra_op.allow_spinning': '1' }), 'cpu', 4).extra,
    ).toMatchObject({
      session: { intra_op: { allow_spinning: '1' } },
    });
  });

  it('takes the names of entries for nothing but names', () => {
    const { extra } = sessionOptions(anInput({ 'session.constructor.name': 'x' }), 'cpu', 4);

    expect(extra).toMatchObject({ session: { constructor: { name: 'x' } } });
    expect(Object.name).toBe('Object');
  });
});
