import { describe, expect, it } from 'vitest';
import { TraceSampling } from './trace-sampling.js';

const AT_START = { isOn: true, rate: 1, count: -1, logFrequency: 0 };

function turns(sampling: TraceSampling, model: string, requests: number): unknown[] {
  return Array.from({ length: requests }, () => sampling.isTurn(model));
}

describe('TraceSampling', () => {
  it('leaves every request to the sampler until something is changed', () => {
    const sampling = new TraceSampling(1);

    expect(sampling.settings('m')).toEqual(AT_START);
    expect([sampling.isOpen('m'), sampling.isTurn('m')]).toEqual([true, 'sampler']);
  });

  it('shows the rate of the sampler', () => {
    expect(new TraceSampling(100).settings('')).toEqual({ ...AT_START, rate: 100 });
  });

  it('begins with what the start has settled, and goes back to it', () => {
    const sampling = new TraceSampling(1, { rate: 2, count: 3 });
    expect(sampling.settings('m')).toEqual({ ...AT_START, rate: 2, count: 3 });
    expect(turns(sampling, 'm', 4)).toEqual([false, true, false, true]);

    sampling.change('', { rate: 1, count: 1 });
    sampling.traced('m');
    expect([turns(sampling, 'm', 2), sampling.isOpen('m')]).toEqual([[true, true], false]);
    sampling.change('', { rate: null, count: null });
    sampling.traced('m');

    expect(sampling.settings('m')).toEqual({ ...AT_START, rate: 2, count: 2 });
    expect([turns(sampling, 'm', 2), sampling.isOpen('m')]).toEqual([[false, true], true]);
    expect(new TraceSampling(1, { isOn: false }).isOpen('m')).toBe(false);
  });

  it('takes every Nth request, from the moment when it is told so', () => {
    const sampling = new TraceSampling(1);

    sampling.change('', { rate: 3 });
    expect(turns(sampling, 'm', 4)).toEqual([false, false, true, false]);

    sampling.change('', { rate: 2 });
    expect(turns(sampling, 'm', 4)).toEqual([false, true, false, true]);
  });

  it('takes none at a rate of 0', () => {
    const sampling = new TraceSampling(1);

    sampling.change('', { rate: 0 });

    expect(turns(sampling, 'm', 3)).toEqual([false, false, false]);
  });

  it('is closed when it is off, and open when it is on again', () => {
    const sampling = new TraceSampling(1);

    sampling.change('', { isOn: false });
    expect(sampling.isOpen('m')).toBe(false);

    sampling.change('', { isOn: true });
    expect(sampling.isOpen('m')).toBe(true);
  });

  it('closes when as many have been traced as were wanted', () => {
    const sampling = new TraceSampling(1);
    sampling.change('', { count: 2 });

    sampling.traced('a');
    expect([sampling.isOpen('b'), sampling.settings('').count]).toEqual([true, 1]);
    sampling.traced('b');

    expect([sampling.isOpen('a'), sampling.settings('').count]).toEqual([false, 0]);
  });

  it('does not count where there is no limit', () => {
    const sampling = new TraceSampling(1);

    sampling.traced('m');

    expect(sampling.settings('m').count).toBe(-1);
  });

  it('puts a setting of a model before that of all, each for itself', () => {
    const sampling = new TraceSampling(1);
    sampling.change('', { isOn: false, rate: 5 });

    sampling.change('m', { isOn: true, count: 1 });

    expect(sampling.settings('m')).toEqual({ ...AT_START, rate: 5, count: 1 });
    expect(sampling.settings('other')).toEqual({ ...AT_START, isOn: false, rate: 5 });
    expect([sampling.isOpen('m'), sampling.isOpen('other')]).toEqual([true, false]);
  });

  it('counts the requests of a model with a rate of its own for themselves', () => {
    const sampling = new TraceSampling(1);
    sampling.change('', { rate: 2 });
    sampling.change('m', { rate: 2 });

    expect([turns(sampling, 'a', 1), turns(sampling, 'm', 2), turns(sampling, 'b', 1)]).toEqual([
      [false],
      [false, true],
      [true],
    ]);
  });

  it('goes back to the setting of all, and to that of the start', () => {
    const sampling = new TraceSampling(1);
    sampling.change('', { rate: 7 });
    sampling.change('m', { rate: 2, isOn: false });

    sampling.change('m', { rate: null });
    expect(sampling.settings('m')).toEqual({ ...AT_START, rate: 7, isOn: false });

    sampling.change('m', { isOn: null });
    sampling.change('', { rate: null });
    expect(sampling.settings('m')).toEqual(AT_START);
    expect(sampling.isTurn('m')).toBe('sampler');
  });
});
