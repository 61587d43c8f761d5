import { beforeEach, describe, expect, it } from 'vitest';
import type { Servable } from '../core/servable.js';
import { aServedModel } from '../testing/fake-catalog.js';
import type { ModelDescription } from './model-description.js';
import { described } from '../testing/gated-loads.js';
import { ServingVersion } from './servable-handle.js';

const servable: Servable = { infer: (_request, _call, reply) => reply.end() };
const model = aServedModel();

let closes: number;
let closing: Promise<void>;

beforeEach(() => {
  closes = 0;
  closing = Promise.resolve();
});

function aVersion(): ServingVersion {
  const loaded = {
    model,
    servable,
    update: () => Promise.resolve({ ...model, platform: 'updated' }),
    onLost: () => undefined,
    close: () => {
      closes++;
      return closing;
    },
  };
  return new ServingVersion(loaded, described([1]));
}

describe('ServingVersion', () => {
  it('is its own handle', () => {
    const version = aVersion();

    const handle = version.acquire();

    expect([handle.model, handle.servable]).toEqual([model, servable]);
    expect(version.users).toBe(1);
  });

  it('shows those who hold it already what an update has made of it', async () => {
    const version = aVersion();
    const handle = version.acquire();

    await version.update({} as ModelDescription);

    expect(handle.model.platform).toBe('updated');
  });

  it('counts who uses it', () => {
    const version = aVersion();

    const handles = [version.acquire(), version.acquire(), version.acquire()];
    handles[1]!.release();

    expect(version.users).toBe(2);
  });

  it('is closed at once when nobody uses it', async () => {
    await aVersion().retire();

    expect(closes).toBe(1);
  });

  it('is not closed because nobody uses it for a while', () => {
    const version = aVersion();

    version.acquire().release();
    version.acquire().release();

    expect([version.users, closes]).toEqual([0, 0]);
  });

  it('is closed once, by the last who leaves', async () => {
    const version = aVersion();
    version.acquire();
    version.acquire();

    const retired = version.retire();
    version.release();
    expect(closes).toBe(0);
    version.release();
    await retired;

    expect(closes).toBe(1);
  });

  it('is gone when its memory is free', async () => {
    let free = (): void => undefined;
    closing = new Promise((resolve) => (free = resolve));
    let gone = false;

    const retired = aVersion()
      .retire()
      .then(() => (gone = true));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect([closes, gone]).toEqual([1, false]);
    free();
    await retired;

    expect(gone).toBe(true);
  });

  it('says when it could not be closed', async () => {
    closing = Promise.reject(new Error('the thread is gone'));

    await expect(aVersion().retire()).rejects.toThrow('the thread is gone');
  });

  it('notices who gives back what was never taken, and still counts right', () => {
    const version = aVersion();

    expect(() => version.release()).toThrow(
      "model 'm' was released more often than acquired. This is a bug.",
    );
    expect(version.users).toBe(0);
  });
});
